// A forge for tests as a process: `node main.mjs KIND FOLDER` serves bare repositories that it makes in FOLDER and says where it listens
// and where it is told what to do. `node main.mjs --prepare` makes only what each start would have to make.

import { mkdirSync } from 'node:fs';

import { forgejo, specification as forgejoSpecification } from './forgejo/server.mjs';
import { github, specification as githubSpecification } from './github/server.mjs';
import { control } from './lib/control.mjs';
import { listen } from './lib/http.mjs';
import { World } from './lib/world.mjs';

const FORGES = {
  github: { handler: github, specification: githubSpecification },
  forgejo: { handler: forgejo, specification: forgejoSpecification },
};

const [kind, folder] = process.argv.slice(2);
if (kind === '--prepare') {
  for (const { specification } of Object.values(FORGES)) await specification();
} else if (Object.hasOwn(FORGES, kind ?? '') && folder) {
  await serve(FORGES[kind]);
} else {
  console.error(`usage: node main.mjs ${Object.keys(FORGES).join('|')} FOLDER, or node main.mjs --prepare`);
  process.exit(2);
}

async function serve({ handler, specification }) {
  // Whoever started it may be killed, and then nobody ends it.
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && process.exit(1), 1000).unref();
  mkdirSync(folder, { recursive: true });
  const world = new World(folder);
  const forge = await listen(handler(world, await specification()));
  const orders = await listen(control(world));
  console.log(`forge listening address=${forge.address} control=${orders.address}`);
}
