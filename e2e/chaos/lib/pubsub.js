// The two Pub/Subs that every story runs against: the embedded one, and Google's emulator.

import { spawn } from 'node:child_process';
import { freePort } from '../../lib/redis.js';
import { startService } from '../../lib/service.js';
import { seconds, until } from './clock.js';
import { HalfClose } from './half-close.js';

const PROJECT = 'mayfly-dev';
/** A JVM on a busy machine. */
const START_MS = seconds(60);
const LISTENING = /PUBSUB_EMULATOR_HOST=(127\.0\.0\.1:\d+)/;

export const SERVER = process.env.CHAOS_PUBSUB ?? 'embedded';

/** What stands between a process and Pub/Sub, see half-close.js. */
export const interpret = SERVER === 'google' ? () => new HalfClose() : undefined;

/** Google's that all stories share, since each is a JVM that wants most of a core. Those that end Pub/Sub bring their own. */
const shared = process.env.MAYFLY_GOOGLE_EMULATOR;

/** How long it may take until the last message has found its way after connections to Pub/Sub were cut: what was under way waits out its leases. */
export const AFTER_A_CUT_MS = seconds(45);

/** Resolves to `{ address, signal, kill }`; a shared one has neither of the latter two. `isOwn` asks for one that can be ended. */
export async function startPubsub({ isOwn = false } = {}) {
  if (SERVER === 'google' && isOwn) return startGoogle();
  if (SERVER === 'google') return { address: shared };
  const { found, signal, kill, log } = await startService('emulator', { PUBSUB_EMULATOR_LISTEN: '127.0.0.1:0' }, LISTENING);
  return { address: found, signal, kill, log };
}

async function startGoogle() {
  const address = `127.0.0.1:${await freePort()}`;
  // gcloud starts a JVM by way of scripts: all of them are one process group, to be ended at once.
  const child = spawn('gcloud', ['beta', 'emulators', 'pubsub', 'start', `--project=${PROJECT}`, `--host-port=${address}`], { detached: true, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const signal = (name) => {
    try {
      process.kill(-child.pid, name);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  };
  const killWithUs = () => signal('SIGKILL');
  process.once('exit', killWithUs);
  const answers = () => fetch(`http://${address}/`).then(({ ok }) => ok, () => false);
  await until(answers, "Google's emulator", START_MS);
  return {
    address,
    signal,
    async kill() {
      process.off('exit', killWithUs);
      signal('SIGKILL');
      await ended;
    },
  };
}

/** Deletes everything under a prefix, so that a shared server does not carry every story's leavings. */
export async function tidyUp(address, prefix) {
  for (const what of ['subscriptions', 'topics']) {
    const url = `http://${address}/v1/projects/${PROJECT}/${what}`;
    const { [what]: found = [] } = await (await fetch(`${url}?pageSize=1000`)).json();
    for (const { name } of found) {
      const last = name.split('/').at(-1);
      if (last.startsWith(prefix)) await fetch(`${url}/${last}`, { method: 'DELETE' });
    }
  }
}
