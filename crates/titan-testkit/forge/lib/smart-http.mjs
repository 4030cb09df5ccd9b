// git over http for those who fetch: git's own `http-backend`. Nothing is pushed through it.

import { spawn } from 'node:child_process';

import { gitEnvironment } from './git.mjs';
import { readBody } from './http.mjs';

const PATH = /^\/([^/]+\/[^/]+?)(?:\.git)?\/(info\/refs|git-upload-pack|git-receive-pack)$/;
const LONGEST_MS = 60_000;

/** The parts of a path of git's protocol, or null when it is none. */
export function gitRequest(url) {
  const match = PATH.exec(url.pathname);
  if (!match) return null;
  const service = match[2] === 'info/refs' ? url.searchParams.get('service') : match[2];
  return service ? { fullName: match[1], action: match[2], service } : null;
}

/** `mayRead(token, fullName)` decides; who comes without a good token is asked for one. */
export async function serveGit(request, response, { fullName, action, service }, { folder, mayRead, url }) {
  const token = basicPassword(request.headers.authorization);
  if (!token || !mayRead(token, fullName)) {
    const answer = token ? 'remote: Repository not found.\n' : 'No anonymous access.\n';
    response.writeHead(401, { 'www-authenticate': 'Basic realm="GitHub"', 'content-length': answer.length });
    return response.end(answer);
  }
  if (service !== 'git-upload-pack') {
    response.writeHead(403, { 'content-length': 0 });
    return response.end();
  }
  const body = (await readBody(request)) ?? Buffer.alloc(0);
  const child = spawn('git', ['http-backend'], {
    timeout: LONGEST_MS,
    env: gitEnvironment({
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_COUNT: '3',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      // As at the real ones: a commit may be fetched by its id, and what belongs to pull requests is there but not moved.
      GIT_CONFIG_KEY_1: 'uploadpack.allowAnySHA1InWant',
      GIT_CONFIG_VALUE_1: 'true',
      GIT_CONFIG_KEY_2: 'uploadpack.allowFilter',
      GIT_CONFIG_VALUE_2: 'true',
      REQUEST_METHOD: request.method,
      PATH_INFO: `/${fullName}.git/${action}`,
      QUERY_STRING: url.search.slice(1),
      REMOTE_ADDR: '127.0.0.1',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      CONTENT_LENGTH: String(body.length),
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: request.headers['git-protocol'] ?? '',
    }),
  });
  child.stdin.on('error', () => {});
  child.stdin.end(body);
  const chunks = [];
  for await (const chunk of child.stdout) chunks.push(chunk);
  pass(Buffer.concat(chunks), response);
}

function pass(output, response) {
  const end = output.indexOf('\r\n\r\n');
  const headers = output
    .subarray(0, end)
    .toString()
    .split('\r\n')
    .map((line) => line.split(': '));
  const status = headers.find(([name]) => name === 'Status')?.[1] ?? '200';
  const rest = output.subarray(end + 4);
  const kept = headers.filter(([name, value]) => value !== undefined && name !== 'Status');
  response.writeHead(end < 0 ? 500 : Number(status.split(' ')[0]), { ...Object.fromEntries(kept), 'content-length': rest.length });
  response.end(rest);
}

function basicPassword(header) {
  const match = /^basic (.+)$/i.exec(header ?? '');
  return match ? Buffer.from(match[1], 'base64').toString().split(':').slice(1).join(':') : null;
}
