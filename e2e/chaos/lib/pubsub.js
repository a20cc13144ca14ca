// The two Pub/Subs that every story runs against: the embedded one, and Google's emulator.

import { spawn } from 'node:child_process';
import { freePort } from '../../lib/redis.js';
import { startService } from '../../lib/service.js';
import { seconds, until } from './clock.js';

const PROJECT = 'mayfly-dev';
/** A JVM on a busy machine. */
const START_MS = seconds(60);
const LISTENING = /PUBSUB_EMULATOR_HOST=(127\.0\.0\.1:\d+)/;

export const SERVER = process.env.CHAOS_PUBSUB ?? 'embedded';

/** Google's that is running already. It outlives the stories, so those that end Pub/Sub bring their own. */
const shared = process.env.MAYFLY_GOOGLE_EMULATOR;

/** The one that this process has started for all stories that do not end theirs: each is a JVM that wants most of a core. */
let common;

/**
 * How long it may take until the last message has found its way after connections to Pub/Sub were cut: what was under way
 * waits out a lease. Google's emulator never notices that a stream's connection is gone and goes on delivering to it, about
 * every second time, and each of these waits out a lease of 10 s.
 */
export const AFTER_A_CUT_MS = seconds(SERVER === 'google' ? 150 : 45);

/** Resolves to `{ address, signal, kill }`; a shared one has neither of the latter two. `isOwn` asks for one that can be ended. */
export async function startPubsub({ isOwn = false } = {}) {
  if (SERVER === 'google' && isOwn) return startGoogle();
  if (SERVER === 'google') return { address: shared ?? (await (common ??= startGoogle())).address };
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

/** Far more streams than any connection here opens: Mayfly gives every one of them a connection of its own. */
const MOST_STREAMS = Number(process.env.MS ?? 64);
const [RST_STREAM, CANCEL] = [3, 8];

/**
 * Google's emulator (0.8.20) never notices that a subscriber's connection is gone: it goes on giving the dead every other
 * message, whatever the client library, where Google's service notices at once. What it does notice is that a stream is
 * cancelled. So this cancels the streams of the dead in their name.
 */
export function cancelStreams(link) {
  if (SERVER !== 'google') return;
  link.say(Buffer.concat(Array.from({ length: MOST_STREAMS }, (_, index) => {
    const frame = Buffer.alloc(13);
    frame.writeUIntBE(4, 0, 3);
    frame.writeUInt8(RST_STREAM, 3);
    frame.writeUInt32BE(2 * index + 1, 5);
    frame.writeUInt32BE(CANCEL, 9);
    return frame;
  })));
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
