// Orders RFC 3339 times by the moment they mean; as texts they would sort by how many digits their fraction has.
export function compareTimes(a: string, b: string): number {
  const difference = Date.parse(a) - Date.parse(b);
  if (difference !== 0 && !Number.isNaN(difference)) return difference;
  // The same millisecond: digits behind it decide, all of them compared at the same length.
  return fraction(a).localeCompare(fraction(b));
}

const fraction = (time: string): string => (/\.(\d+)/.exec(time)?.[1] ?? '').padEnd(9, '0');
