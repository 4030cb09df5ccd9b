// Cuts an OpenAPI document (3.0 or Swagger 2) down to some routes and what they refer to.

const METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']);

/** `keys` are routes such as `GET /repos/{owner}/{repo}`; one that the document lacks is an error. */
export function trim(document, keys) {
  const { paths, components, definitions, responses, parameters, ...rest } = document;
  const kept = { ...rest, paths: {} };
  delete kept['x-webhooks'];
  delete kept.tags;
  for (const key of keys) {
    const [method, route] = key.split(' ');
    const operation = paths[route]?.[method.toLowerCase()];
    if (!operation) throw new Error(`the document has no ${key}`);
    const shared = Object.fromEntries(Object.entries(paths[route]).filter(([name]) => !METHODS.has(name)));
    kept.paths[route] = { ...shared, ...kept.paths[route], [method.toLowerCase()]: withoutExamples(operation) };
  }
  addReferences(document, kept, kept.paths);
  return spellNull(kept);
}

/** A request may have no field that its schema does not name. Only what stands in the request itself is closed: others share the rest. */
export function closeRequests(document) {
  for (const item of Object.values(document.paths)) {
    for (const operation of Object.values(item)) {
      for (const { schema } of Object.values(operation.requestBody?.content ?? {})) close(schema);
    }
  }
}

function close(schema) {
  if (!schema || schema.$ref || schema.anyOf || schema.oneOf || schema.allOf) return;
  if (schema.properties) {
    schema.additionalProperties ??= false;
    for (const each of Object.values(schema.properties)) close(each);
  }
  close(schema.items);
}

function withoutExamples(value) {
  if (Array.isArray(value)) return value.map(withoutExamples);
  if (value === null || typeof value !== 'object') return value;
  // Not where `examples` is the name of a field.
  const isSchemaOfFields = (key) => key === 'properties';
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, each]) => !((key === 'examples' || key === 'example') && !('type' in Object(each))))
      .map(([key, each]) => [
        key,
        isSchemaOfFields(key)
          ? Object.fromEntries(Object.entries(each).map(([name, one]) => [name, withoutExamples(one)]))
          : withoutExamples(each),
      ]),
  );
}

/** `nullable` beside a choice without a type: Prism's compiler refuses such a schema, and then Prism takes anything for it. */
function spellNull(value) {
  if (Array.isArray(value)) return value.map(spellNull);
  if (value === null || typeof value !== 'object') return value;
  const spelled = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, spellNull(each)]));
  const isChoice = spelled.nullable === true && spelled.type === undefined && (spelled.anyOf ?? spelled.oneOf ?? spelled.allOf);
  if (!isChoice) return spelled;
  const { nullable, ...choice } = spelled;
  return { anyOf: [choice, { enum: [null] }] };
}

/** Copies what `part` refers to, and what that refers to, to the same places. */
function addReferences(document, kept, part) {
  for (const reference of references(part)) {
    const places = reference
      .slice(2)
      .split('/')
      .map((each) => each.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = places.pop();
    let from = document;
    let to = kept;
    for (const place of places) {
      from = from[place];
      to[place] ??= {};
      to = to[place];
    }
    if (last in to) continue;
    to[last] = withoutExamples(from[last]);
    addReferences(document, kept, to[last]);
  }
}

function references(value, found = new Set()) {
  if (Array.isArray(value)) for (const each of value) references(each, found);
  else if (value !== null && typeof value === 'object') {
    for (const [key, each] of Object.entries(value)) {
      if (key === '$ref' && typeof each === 'string') found.add(each);
      else references(each, found);
    }
  }
  return found;
}
