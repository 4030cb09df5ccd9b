// What Forgejo says when it refuses: a message, and where its API is described.

export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }

  body(at) {
    return { message: this.message, url: `${at.html}/api/swagger` };
  }
}

export const notFound = (message = "The target couldn't be found.") => new Refusal(404, message);
