// The Docker engine of this machine, by its own commands.

import { execFile, execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const COMPOSE = ['compose', '--file', fileURLToPath(new URL('../compose.yaml', import.meta.url))];

/** What a docker command prints; throws with what it complains of. */
export async function docker(...args) {
  const { stdout } = await run('docker', args, { maxBuffer: 64 << 20 });
  return stdout.trim();
}

/** The same for `docker compose`, with more in its environment. */
export async function compose(args, env = {}) {
  const { stdout } = await run('docker', [...COMPOSE, ...args], { env: { ...process.env, ...env }, maxBuffer: 64 << 20 });
  return stdout.trim();
}

/** All services, as compose reads them. At once, since tests are made of them. */
export function services() {
  const config = execFileSync('docker', [...COMPOSE, '--profile', 'operator', 'config', '--format', 'json'], { encoding: 'utf8' });
  return Object.entries(JSON.parse(config).services).map(([name, service]) => ({ name, ...service }));
}

/** An image or a container, as the engine sees it. */
export async function inspect(name) {
  return JSON.parse(await docker('inspect', name))[0];
}

/** Every file of an image: its path, and its mode as `ls` writes it. */
export async function files(image) {
  const container = await docker('create', image);
  try {
    const listing = await run('bash', ['-c', 'set -o pipefail; docker export "$1" | tar --list --verbose', 'bash', container], { maxBuffer: 64 << 20 });
    return listing.stdout.trim().split('\n').map((line) => ({ mode: line.slice(0, 10), path: line.split(/\s+/)[5] }));
  } finally {
    await docker('rm', container);
  }
}

/** What the kernel knows of a container's first process: `{ Uid, CapEff, NoNewPrivs, … }`. */
export async function kernelStatus({ State: { Pid } }) {
  const status = await readFile(`/proc/${Pid}/status`, 'utf8');
  return Object.fromEntries(status.trim().split('\n').map((line) => line.split(/:\s+/)));
}

/** How much memory a container has, in bytes, as a limit counts it: without what the kernel could drop. */
export async function memoryOf(container) {
  const used = await docker('stats', '--no-stream', '--format', '{{.MemUsage}}', container);
  const [, number, unit] = used.match(/^([\d.]+)([KMG]?i?B)/);
  return Number(number) * { B: 1, KiB: 1 << 10, MiB: 1 << 20, GiB: 1 << 30 }[unit];
}
