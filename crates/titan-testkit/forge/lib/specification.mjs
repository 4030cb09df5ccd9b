// The forge's own OpenAPI document as a judge: each request and each answer is held against it by Prism's validator.
//
// Prism runs here as a library and not as a proxy of its own: a proxy cannot pass on a connection that is cut or held, and what it
// finds is in a log. The whole document is large, so it is cut down to the routes that are served, once, and kept beside the packages.
// Stricter than Prism alone: an unknown parameter or field of a request, an answer whose status is not documented, and a schema that
// does not compile (which Prism takes for a pass) are violations, too.

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { mediaType } from './http.mjs';
import { closeRequests, trim } from './trim.mjs';

const require = createRequire(import.meta.url);
const CACHE = fileURLToPath(new URL('../node_modules/.cache/titan-forge/', import.meta.url));
const PRISM = '@stoplight/prism-http';
/** What any request may be answered with, documented at each route or not. */
const ALWAYS = new Set([400, 401, 403, 404, 415, 422, 429, 500, 502, 503]);
/** No value of any schema here. */
const NONSENSE = 42;

/** `source` is the file of the document, `keys` the routes such as `GET /repos/{owner}/{repo}`. */
export async function loadSpecification(name, source, keys) {
  const operations = cached(name, source, keys) ?? (await prepare(name, source, keys));
  return new Specification(operations);
}

class Specification {
  #operations;
  #validator = require(`${PRISM}/dist/validator`);
  #compiled = new Set();

  constructor(operations) {
    share(operations);
    this.#operations = new Map(operations.map((operation) => [`${operation.method.toUpperCase()} ${operation.path}`, operation]));
  }

  /** What is wrong with a request: {params, query, headers, body}. */
  request(key, { params, query, headers, body }) {
    const resource = this.#operations.get(key);
    if (!resource) return [`${key} is not in the document`];
    const known = new Set((resource.request?.query ?? []).map((each) => each.name));
    const unknown = Object.keys(query).filter((each) => !known.has(each));
    // A parameter of several segments is one segment here.
    const where = key.split(' ')[1].replace(/\{(\w+)\}/g, (_, each) => encodeURIComponent(params[each]));
    const element = { method: resource.method, url: { path: where, query }, headers, body };
    const compiled =
      body === undefined
        ? []
        : this.#compile(`${key} body`, () => this.#validator.validateInput({ resource, element: { ...element, body: NONSENSE } }));
    const found = this.#validator.validateInput({ resource, element });
    return [...unknown.map((each) => `query parameter ${each} is not in the document`), ...compiled, ...messages(found)];
  }

  /** What is wrong with an answer: {status, headers, body}. */
  answer(key, { status, headers, body }) {
    const resource = this.#operations.get(key);
    if (!resource) return [`${key} is not in the document`];
    const documented = resource.responses.find(({ code }) => code === String(status));
    if (!documented) return ALWAYS.has(status) ? plainError(body) : [`status ${status} is not in the document`];
    const type = headers['content-type'];
    if (documented.contents?.length && mediaType(type) !== 'application/json') return [`answers with ${type}`];
    const element = { statusCode: status, headers, body };
    const has = (documented.contents ?? []).some(({ schema }) => schema);
    const judge = (each) => this.#validator.validateOutput({ resource, element: each });
    const compiled = has ? this.#compile(`${key} ${status}`, () => judge({ ...element, body: NONSENSE })) : [];
    return [...compiled, ...messages(judge(element))];
  }

  #compile(what, judge) {
    if (this.#compiled.has(what)) return [];
    this.#compiled.add(what);
    const isRefused = messages(judge()).some((message) => /^(Request|Response) body /.test(message));
    return isRefused ? [] : [`the schema of ${what} takes anything`];
  }
}

/** What is alike is compiled once: Prism keeps what it compiled by the schema and what is bundled with it. */
function share(operations) {
  const known = new Map();
  const one = (value) => {
    const text = JSON.stringify(value);
    if (text !== undefined && !known.has(text)) known.set(text, value);
    return known.get(text);
  };
  for (const operation of operations) {
    operation.__bundled__ = one(operation.__bundled__);
    for (const { contents = [] } of operation.responses) for (const content of contents) content.schema = one(content.schema);
  }
}

function messages(either) {
  return either._tag === 'Left' ? either.left.map(({ message }) => message) : [];
}

function plainError(body) {
  const right = typeof body?.message === 'string';
  return right ? [] : ['an error has a message'];
}

// --- the cut document ------------------------------------------------------------------------------------------------

function cacheFile(name, source, keys) {
  const hash = createHash('sha256')
    .update(JSON.stringify(keys))
    .update(version(source))
    .update(version(require.resolve(PRISM)));
  for (const file of ['specification.mjs', 'trim.mjs']) hash.update(readFileSync(new URL(file, import.meta.url)));
  return path.join(CACHE, `${name}-${hash.digest('hex').slice(0, 16)}.json`);
}

/** Of the package that a file is in; of a document without a package, its own text. */
function version(file) {
  const match = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file);
  return readFileSync(match ? path.join(match[1], 'package.json') : file);
}

function cached(name, source, keys) {
  try {
    return JSON.parse(readFileSync(cacheFile(name, source, keys), 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

async function prepare(name, source, keys) {
  const { getHttpOperationsFromSpec } = require(`${PRISM}/dist/utils/operations`);
  const document = trim(JSON.parse(readFileSync(source, 'utf8')), keys);
  closeRequests(document);
  const operations = await getHttpOperationsFromSpec(document);
  const text = JSON.stringify(operations);
  const file = cacheFile(name, source, keys);
  mkdirSync(CACHE, { recursive: true });
  // Several may do this at the same time; each leaves a whole file.
  writeFileSync(`${file}.${process.pid}`, text);
  renameSync(`${file}.${process.pid}`, file);
  for (const other of readdirSync(CACHE).filter((each) => each.startsWith(`${name}-`) && each.endsWith('.json'))) {
    if (other !== path.basename(file)) rmSync(path.join(CACHE, other), { force: true });
  }
  return JSON.parse(text);
}
