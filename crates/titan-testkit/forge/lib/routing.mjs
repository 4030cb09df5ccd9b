// Routes by the names that an OpenAPI document gives them: `GET /repos/{owner}/{repo}`.

/** `table` has [route, handler, permissions]; parameters named in `long` may hold slashes, and a longer route comes first. */
export function routes(table, long) {
  const all = table.map(([key, handle, permissions]) => {
    const [method, template] = key.split(' ');
    const pattern = template.replace(/\{(\w+)\}/g, (_, name) => `(?<${name}>${long.has(name) ? '.+?' : '[^/]+'})`);
    return { key, method, handle, permissions, pattern: new RegExp(`^${pattern}$`) };
  });
  return { keys: all.map(({ key }) => key), find: (method, pathname) => find(all, method, pathname) };
}

/** {route, params}, or null. */
function find(all, method, pathname) {
  for (const route of all) {
    const match = route.method === method && route.pattern.exec(pathname);
    if (match) return { route, params: Object.fromEntries(Object.entries(match.groups ?? {}).map(([name, text]) => [name, decode(text)])) };
  }
  return null;
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
