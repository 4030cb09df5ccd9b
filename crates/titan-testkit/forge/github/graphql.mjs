// GitHub's GraphQL: its own schema, executed by graphql-js, so that a query that is wrong there is wrong here.
// https://docs.github.com/graphql

import { readFileSync } from 'node:fs';
import { GraphQLError, buildClientSchema, execute, parse, validate } from 'graphql';

import { rank } from './apps.mjs';
import { createCommitOnBranch } from './commit-on-branch.mjs';
import { isBase64 } from './objects.mjs';
import { repositoryNode } from './nodes.mjs';

const SCHEMA = new URL('./schema.json', import.meta.resolve('@octokit/graphql-schema'));

let loaded = null;

/** Read when it is first asked for, since most tests do without. */
function schema() {
  if (loaded) return loaded;
  loaded = buildClientSchema(JSON.parse(readFileSync(SCHEMA, 'utf8')), { assumeValid: true });
  check('GitObjectID', (text) => /^[0-9a-f]{40}$/.test(text));
  check('Base64String', isBase64);
  return loaded;
}

/** The schema's document names its scalars and does not say what they may be. */
function check(name, isGood) {
  const scalar = loaded.getType(name);
  scalar.parseValue = (value) => {
    if (typeof value !== 'string' || !isGood(value)) throw new GraphQLError(`Could not coerce value ${JSON.stringify(value)} to ${name}`);
    return value;
  };
  scalar.parseLiteral = (node) => scalar.parseValue(node.value);
}

/** Gives the body of the answer, which is 200 whatever is wrong with the query. What no client should send is a violation. */
export async function answerGraphql({ at, holder, body }) {
  const { query, variables = {}, operationName } = body;
  const wrong = (errors) => {
    for (const { message } of errors) at.world.violation('POST /graphql', message);
    return { errors: errors.map(showError) };
  };
  let document;
  try {
    document = parse(query ?? '');
  } catch (error) {
    return wrong([error]);
  }
  const faults = validate(schema(), document);
  if (faults.length) return wrong(faults);
  const result = await execute({
    schema: schema(),
    document,
    operationName,
    variableValues: variables ?? {},
    rootValue: root(at, holder),
    fieldResolver: resolve,
  });
  const unforeseen = (result.errors ?? []).filter(({ originalError }) => !(originalError instanceof Problem));
  if (unforeseen.length) wrong(unforeseen);
  return { ...result, ...(result.errors ? { errors: result.errors.map(showError) } : {}) };
}

/** What GitHub says when a good query cannot be carried out. */
export class Problem extends Error {
  constructor(type, message) {
    super(message);
    this.type = type;
  }
}

function root(at, holder) {
  return {
    viewer: { __typename: 'User', login: holder.user.login, databaseId: holder.user.id },
    rateLimit: () => {
      const { limit, used, reset } = holder.limits.graphql;
      return { limit, used, remaining: limit - used, cost: 1, nodeCount: 0, resetAt: new Date(reset * 1000).toISOString() };
    },
    repository: ({ owner, name }) => repositoryNode(at, holder, visible(at, holder, `${owner}/${name}`)),
    createCommitOnBranch: ({ input }) => {
      const find = (fullName) => {
        const repo = visible(at, holder, fullName);
        if (rank(holder.permissions.contents) < rank('write'))
          throw new Problem('FORBIDDEN', `Resource not accessible by ${holder.installation ? 'integration' : 'personal access token'}`);
        return repo;
      };
      return createCommitOnBranch({ at, holder, input, find, Problem });
    },
  };
}

function visible(at, holder, fullName) {
  const repo = at.world.repository(fullName);
  if (!repo || !at.maySee(holder, repo)) throw new Problem('NOT_FOUND', `Could not resolve to a Repository with the name '${fullName}'.`);
  return repo;
}

/** A field that the schema has and this forge has not is an error, and not null. */
function resolve(source, args, context, info) {
  const value = source[info.fieldName];
  if (value === undefined) throw new Error(`this forge does not carry ${info.parentType.name}.${info.fieldName}`);
  return typeof value === 'function' ? value.call(source, args) : value;
}

/** A problem has a type. A fault of the query has none, and says more in `extensions`. */
function showError({ message, locations, path, originalError }) {
  const kind = originalError instanceof Problem ? { type: originalError.type } : { extensions: { code: codeOf(message) } };
  return { ...kind, path, locations, message };
}

function codeOf(message) {
  return /^Cannot query field/.test(message) ? 'undefinedField' : 'invalidQuery';
}
