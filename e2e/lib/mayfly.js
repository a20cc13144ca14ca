// The system under test: the `mayfly` binary as a child on free ports, everything in one process.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';

export const BINARY = process.env.MAYFLY_BIN ?? fileURLToPath(new URL('../../target/debug/mayfly', import.meta.url));
/** The client that the gateway serves to the page. */
const CLIENT = fileURLToPath(new URL('../node_modules/socket.io-client/dist', import.meta.url));
const START_DEADLINE_MS = 60_000;
/** Every process of Mayfly drains within 12 s; the rest is for a busy machine. */
const STOP_DEADLINE_MS = 20_000;

/** Starts mayfly and resolves once it serves: `{ url, port, pubsub, stop, kill, log }`. */
export async function startMayfly(env = {}) {
  const settings = { PORT: '0', SOCKETIO_CLIENT_DIR: CLIENT, ...env };
  const child = spawn(BINARY, [], { env: { ...surroundings(), ...settings }, stdio: ['ignore', 'pipe', 'pipe'] });
  const log = [];
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  // The child's end must not outlive the test run, whatever ended that.
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  ended.then(() => process.off('exit', killWithUs));

  const found = await new Promise((resolve, reject) => {
    const fail = (why) => reject(new Error(`${why}; it said:\n${log.slice(-40).join('\n')}`));
    const timer = setTimeout(() => fail(`mayfly did not start within ${START_DEADLINE_MS} ms`), START_DEADLINE_MS);
    child.once('error', (error) => fail(`${BINARY} cannot run: ${error.message}`));
    child.once('exit', (code) => fail(`mayfly ended with ${code}`));
    const found = {};
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        log.push(line);
        found.url ??= line.match(/^Mayfly is running at (http:\/\/127\.0\.0\.1:\d+)$/)?.[1];
        found.pubsub ??= line.match(/^ +Pub\/Sub +(?:embedded|emulator) at (127\.0\.0\.1:\d+)/)?.[1];
        if (!found.url || !found.pubsub) return;
        clearTimeout(timer);
        resolve(found);
      });
    }
  });

  return {
    ...found,
    port: new URL(found.url).port,
    log,
    /** Drains it, and throws unless it ends by itself with exit code 0. */
    async stop() {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
      const { code, signal } = await ended;
      clearTimeout(late);
      if (code !== 0) throw new Error(`mayfly ended with ${signal ?? code} after SIGTERM; it said:\n${log.slice(-40).join('\n')}`);
    },
    /** Ends it without a word to anybody. */
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** The environment without anything that would lead this mayfly to somebody else's Redis or Pub/Sub. */
export function surroundings() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(REDIS_|PUBSUB_|GOOGLE_|PORT$)/.test(name)));
}
