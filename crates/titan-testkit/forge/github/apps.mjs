// GitHub Apps: a token signed with the app's key, and what it is given for that.
// https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app

import { randomBytes, verify } from 'node:crypto';

import { isoSeconds } from '../lib/commit-object.mjs';
import { Refusal, notFound, unprocessable } from './errors.mjs';
import { showUser } from './show.mjs';

const LONGEST_SECONDS = 600;
/** Clocks differ. */
const LEEWAY_SECONDS = 60;

/** The app that a token of three parts is signed by; throws GitHub's 401 for one that is not good. */
export function appOf(world, token) {
  const undecodable = () => new Refusal(401, 'A JSON web token could not be decoded');
  const [head, claims, signature] = parts(token) ?? fail(undecodable());
  if (head.alg !== 'RS256') throw undecodable();
  const app = [...world.apps.values()].find(({ id, clientId }) => [String(id), clientId].includes(String(claims.iss)));
  if (!app) throw new Refusal(404, 'Integration not found');
  const signed = Buffer.from(token.slice(0, token.lastIndexOf('.')));
  if (!verify('RSA-SHA256', signed, app.publicKey, signature)) throw undecodable();
  const now = Math.floor(world.now() / 1000);
  if (!Number.isInteger(claims.iat) || claims.iat > now + LEEWAY_SECONDS) {
    throw new Refusal(401, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued");
  }
  if (!Number.isInteger(claims.exp) || claims.exp < now) {
    throw new Refusal(
      401,
      "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
    );
  }
  if (claims.exp > now + LONGEST_SECONDS + LEEWAY_SECONDS)
    throw new Refusal(401, "'Expiration time' claim ('exp') is too far in the future");
  return app;
}

export function getInstallation({ at, app, params }) {
  const repo = at.world.repository(`${params.owner}/${params.repo}`);
  const installation = app.installations.find(({ owner }) => owner.toLowerCase() === params.owner.toLowerCase());
  if (!repo || !installation) throw notFound();
  const url = `${at.api}/app/installations/${installation.id}`;
  const account = at.world.user(installation.owner);
  return {
    body: {
      id: installation.id,
      client_id: app.clientId,
      account: showUser(at, account),
      repository_selection: 'all',
      access_tokens_url: `${url}/access_tokens`,
      repositories_url: `${at.api}/installation/repositories`,
      html_url: `${at.html}/organizations/${installation.owner}/settings/installations/${installation.id}`,
      app_id: app.id,
      app_slug: app.slug,
      target_id: account.id,
      target_type: account.type,
      permissions: installation.permissions,
      events: [],
      created_at: isoSeconds(installation.createdAt),
      updated_at: isoSeconds(installation.createdAt),
      single_file_name: null,
      suspended_by: null,
      suspended_at: null,
    },
  };
}

export function createToken({ at, app, params, body }) {
  const { world } = at;
  const installation = app.installations.find(({ id }) => id === Number(params.installation_id));
  if (!installation) throw notFound();
  const permissions = body?.permissions ?? installation.permissions;
  const tooMuch = Object.entries(permissions).some(([name, level]) => rank(level) > rank(installation.permissions[name]));
  if (tooMuch) throw unprocessable('The permissions requested are not granted to this installation.');
  const names = body?.repositories ?? null;
  const repositories = names?.map((name) => `${installation.owner}/${name}`.toLowerCase()) ?? null;
  if (repositories?.some((name) => !world.repository(name))) {
    throw unprocessable('There is at least one repository that does not exist or is not accessible to the parent installation.');
  }
  const token = `ghs_${randomBytes(18).toString('hex')}`;
  const holder = world.addToken({
    token,
    login: `${app.slug}[bot]`,
    permissions,
    repositories,
    lifetime: app.lifetime,
    installation: installation.owner,
  });
  const shown = { token, expires_at: isoSeconds(holder.expiresAt), permissions, repository_selection: names ? 'selected' : 'all' };
  return { status: 201, body: shown };
}

/** `read` below `write`; what is not given is below both. */
export function rank(level) {
  return ['read', 'write', 'admin'].indexOf(level ?? '') + 1;
}

function parts(token) {
  try {
    const [head, claims, signature] = token.split('.').map((part) => Buffer.from(part, 'base64url'));
    return [JSON.parse(head), JSON.parse(claims), signature];
  } catch {
    return null;
  }
}

function fail(error) {
  throw error;
}
