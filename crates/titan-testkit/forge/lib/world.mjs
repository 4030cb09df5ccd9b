// Everything that one running forge knows: repositories, who may come in, what was written, what goes wrong on purpose, and what was
// wrong though it should not be.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import path from 'node:path';

import { Faults } from './faults.mjs';
import { Repository } from './repository.mjs';

const HOUR = 3600;
const LIMIT = 5000;

/** What a token may do that a test does not say more of. */
export const ALL_PERMISSIONS = {
  checks: 'read',
  contents: 'write',
  issues: 'write',
  metadata: 'read',
  pull_requests: 'write',
  statuses: 'read',
};

export class World {
  constructor(folder) {
    this.folder = folder;
    this.repositories = new Map();
    this.tokens = new Map();
    this.apps = new Map();
    this.users = new Map();
    this.writes = [];
    this.requests = [];
    this.violations = [];
    this.faults = new Faults();
    this.ids = 1000;
    /** Set forward by tests that wait for something to expire. */
    this.skipped = 0;
  }

  now = () => Date.now() + this.skipped;

  nextId = () => {
    this.ids += 1;
    return this.ids;
  };

  // --- repositories --------------------------------------------------------------------------------------------------

  addRepository(fullName) {
    const [owner, name] = fullName.split('/');
    const folder = path.join(this.folder, `${fullName}.git`);
    const write = (entry) => this.writes.push(entry);
    const repository = new Repository({ id: this.nextId(), owner, name, folder, write, now: this.now, nextId: this.nextId });
    this.repositories.set(fullName.toLowerCase(), repository);
    this.user(owner, 'Organization');
    return repository;
  }

  repository(fullName) {
    return this.repositories.get(fullName.toLowerCase()) ?? null;
  }

  // --- who comes in --------------------------------------------------------------------------------------------------

  user(login, type = 'User') {
    if (!this.users.has(login)) this.users.set(login, { id: this.nextId(), login, type });
    return this.users.get(login);
  }

  /** `repositories` null means all. */
  addToken({ token, login = 'titan', permissions = ALL_PERMISSIONS, repositories = null, lifetime = null, installation = null }) {
    const expiresAt = lifetime === null ? null : this.now() + lifetime * 1000;
    const kind = installation ? 'Bot' : 'User';
    this.tokens.set(token, { user: this.user(login, kind), permissions, repositories, expiresAt, installation, limits: this.limits() });
    return this.tokens.get(token);
  }

  /** What stands behind a token that is good now, or null. */
  holder(token) {
    const holder = this.tokens.get(token);
    return holder && (holder.expiresAt === null || holder.expiresAt > this.now()) ? holder : null;
  }

  /** An app with its own key, installed at each owner in `owners`. Gives the private key, which is kept nowhere. */
  addApp({ id, slug, owners, permissions = ALL_PERMISSIONS, lifetime = HOUR }) {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const installations = owners.map((owner) => ({ id: this.nextId(), owner, permissions, createdAt: this.now() }));
    this.apps.set(id, { id, slug, publicKey, installations, lifetime, clientId: `Iv23li${randomBytes(7).toString('hex')}` });
    return {
      privateKey: privateKey.export({ type: 'pkcs1', format: 'pem' }),
      installations: installations.map(({ id: number }) => number),
    };
  }

  // --- limits --------------------------------------------------------------------------------------------------------

  limits() {
    return { core: this.#bucket(), graphql: this.#bucket() };
  }

  #bucket() {
    return { limit: LIMIT, used: 0, reset: Math.floor(this.now() / 1000) + HOUR };
  }

  /** Whether one more may be asked of this bucket; it is counted when so. */
  spend(limits, resource) {
    if (limits[resource].reset * 1000 <= this.now()) limits[resource] = this.#bucket();
    if (limits[resource].used >= limits[resource].limit) return false;
    limits[resource].used += 1;
    return true;
  }

  // --- what should not have been -------------------------------------------------------------------------------------

  violation(where, what) {
    this.violations.push(`${where}: ${what}`);
  }
}
