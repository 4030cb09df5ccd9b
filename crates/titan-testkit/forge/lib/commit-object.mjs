// The text of a commit object, both ways.

/** The object as git stores it. Dates are of Date or what Date reads. */
export function encode({ tree, parents, message, author, committer }) {
  const lines = [
    `tree ${tree}`,
    ...parents.map((parent) => `parent ${parent}`),
    `author ${person(author)}`,
    `committer ${person(committer)}`,
  ];
  return `${lines.join('\n')}\n\n${message}`;
}

export function parseCommit(text) {
  const at = text.indexOf('\n\n');
  const lines = text.slice(0, at).split('\n');
  const of = (key) => lines.filter((line) => line.startsWith(`${key} `)).map((line) => line.slice(key.length + 1));
  return {
    tree: of('tree')[0],
    parents: of('parent'),
    author: parsePerson(of('author')[0]),
    committer: parsePerson(of('committer')[0]),
    message: text.slice(at + 2),
  };
}

function person({ name, email, date }) {
  const seconds = Math.floor(new Date(date ?? Date.now()).getTime() / 1000);
  return `${clean(name)} <${clean(email)}> ${seconds} +0000`;
}

function clean(text) {
  return text.replace(/[<>\n\0]/g, '');
}

function parsePerson(text) {
  const [, name, email, seconds] = /^(.*) <(.*)> (\d+) [+-]\d{4}$/.exec(text);
  return { name, email, date: isoSeconds(Number(seconds) * 1000) };
}

/** A time as the forges write it: UTC, whole seconds. */
export function isoSeconds(milliseconds) {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}
