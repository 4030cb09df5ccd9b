// What GitHub says when it refuses.

export class Refusal extends Error {
  constructor(status, message, more = {}, headers = {}) {
    super(message);
    this.status = status;
    this.more = more;
    this.headers = headers;
  }

  body(documentation) {
    return { message: this.message, ...this.more, documentation_url: documentation, status: String(this.status) };
  }
}

export const badCredentials = () => new Refusal(401, 'Bad credentials');
export const notFound = () => new Refusal(404, 'Not Found');
export const unprocessable = (message) => new Refusal(422, message);

/** 422 with a list of what is wrong: {resource, field, code} or {resource, code: 'custom', message}. */
export const invalid = (...errors) => new Refusal(422, 'Validation Failed', { errors });

/** 403 for a token that is good but may not. */
export const forbidden = (installation) =>
  new Refusal(403, `Resource not accessible by ${installation ? 'integration' : 'personal access token'}`);
