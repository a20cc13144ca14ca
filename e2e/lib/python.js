// Runs a script of e2e/python in the virtual environment that `run` prepares.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** Resolves to what the script printed; rejects with its own complaint. */
export async function python(script, args, env = {}) {
  const { stdout } = await promisify(execFile)(at('.venv/bin/python'), [at(`python/${script}`), ...args], {
    env: { ...process.env, ...env },
    timeout: 90_000,
  });
  return stdout.trim();
}
