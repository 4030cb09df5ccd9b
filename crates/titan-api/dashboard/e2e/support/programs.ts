// Where the programs under test lie: as scripts/lib/titan.mjs has it.
import path from 'node:path';

export const ROOT = path.resolve(import.meta.dirname, '../../../../..');

/** The folder of the debug builds. */
export const BUILT = path.resolve(ROOT, process.env.CARGO_TARGET_DIR ?? 'target', 'debug');
