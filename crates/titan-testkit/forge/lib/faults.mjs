// What goes wrong on purpose: rules that match the next requests, each for a number of times.

/** What a rule may do; the rest of its fields are in brackets. */
export const KINDS = {
  status: 'answers a 5xx without doing it (status, html: whether the body is a page)',
  secondary: 'answers 403 of the secondary limit without doing it (retry_after: seconds, or none)',
  too_many: 'answers 429 without doing it (retry_after: seconds, or none)',
  primary: 'answers 403 as when the hour is used up (reset: seconds from now)',
  hang: 'never answers',
  cut_before: 'cuts the connection without doing it',
  cut_after: 'does it and cuts the connection',
  slow: 'does it and answers after a while (delay: milliseconds)',
  garbage: 'does it and answers with something that is no JSON',
};

export class Faults {
  constructor() {
    this.rules = [];
  }

  /** `path` is a regular expression over the path with its query; GraphQL is `POST` of `/graphql`. */
  add({ method = null, path = '', times = 1, kind, ...more }) {
    if (!(kind in KINDS)) throw new Error(`there is no fault "${kind}"; there are: ${Object.keys(KINDS).join(', ')}`);
    this.rules.push({ method, path: new RegExp(path), left: times, kind, ...more });
  }

  clear() {
    this.rules = [];
  }

  /** How many faults have not happened yet. */
  left() {
    return this.rules.reduce((sum, { left }) => sum + left, 0);
  }

  /** The rule for a request, used once more, or null. */
  take(method, path) {
    const rule = this.rules.find((each) => each.left > 0 && (each.method === null || each.method === method) && each.path.test(path));
    if (!rule) return null;
    rule.left -= 1;
    return rule;
  }
}
