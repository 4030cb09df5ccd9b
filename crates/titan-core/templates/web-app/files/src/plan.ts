// What is planned and what of it is done: no page and no browser, so that it is easily tested.

export interface Progress {
  done: number;
  total: number;
}

export function progress(features: readonly string[], done: ReadonlySet<string>): Progress {
  return { done: features.filter((feature) => done.has(feature)).length, total: features.length };
}

/** The same set with one feature more, or less when it was there. */
export function toggled(done: ReadonlySet<string>, feature: string): Set<string> {
  const next = new Set(done);
  if (!next.delete(feature)) next.add(feature);
  return next;
}
