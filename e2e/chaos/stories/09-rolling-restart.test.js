import assert from 'node:assert/strict';
import { pause, seconds, until } from '../lib/clock.js';
import { isAccepted } from '../lib/ledger.js';
import { story } from '../lib/story.js';

const CLIENTS = 40;
const PER_SECOND = 40;
const JOB = { echo: { sleepMs: 500 } };
/** What a process may take to leave: its budget of 12 s, and a little for a busy machine. */
const DRAIN_MS = seconds(12.5);
const REFUSED_MS = seconds(2);

story(9, 'every process restarted, one after another, under load', { gateways: 2, workers: 2, deadLetters: 1 }, async ({ cluster, crowd, note }) => {
  await crowd.open(CLIENTS);
  await crowd.steady(PER_SECOND, JOB);
  await until(async () => (await crowd.state()).open < (await crowd.jobs()).length, 'the first job to be done', seconds(10));
  const drains = [];
  for (const name of cluster.names()) {
    const { end, ms } = await cluster.terminate(name);
    assert.equal(end, 0, `${name} ended with ${end}`);
    drains.push(ms);
    await cluster.start(name);
    const connected = async () => (await crowd.state()).connected === CLIENTS;
    await until(connected, 'everybody to be connected', seconds(10));
    await pause(seconds(1));
  }
  await crowd.rest();
  await crowd.settle(seconds(10));
  note({ drainMs: Math.max(...drains) });
  assert.ok(Math.max(...drains) < DRAIN_MS, `somebody took ${Math.max(...drains)} ms to leave`);

  const spans = refusedFor(await crowd.jobs());
  note({ recoverMs: Math.round(Math.max(0, ...spans)) });
  assert.ok(Math.max(0, ...spans) < REFUSED_MS, `somebody was refused for ${Math.max(...spans)} ms`);
});

/** For each client that was ever refused, the longest time from a first refusal until it was accepted again, in milliseconds. */
function refusedFor(jobs) {
  const spans = [];
  const since = new Map();
  for (const job of jobs) {
    if (isAccepted(job) && since.has(job.client)) {
      spans.push(job.answers.at(-1).at - since.get(job.client));
      since.delete(job.client);
    } else if (!isAccepted(job) && !since.has(job.client)) {
      since.set(job.client, job.at);
    }
  }
  return since.size ? [...spans, Infinity] : spans;
}
