import assert from 'node:assert/strict';
import { pause, seconds, until } from '../lib/clock.js';
import { isAccepted } from '../lib/ledger.js';
import { story } from '../lib/story.js';

const CLIENTS = 40;
const PER_SECOND = 40;
const JOB = { echo: { sleepMs: 500 } };
const DRAIN_MS = seconds(12);
const REFUSED_MS = seconds(2);
/** How long a client may take to get a job taken: its gateway leaves, and stock clients wait up to 5 s before they try again. */
const TAKEN_MS = seconds(8);
const REFUSALS = ['queue_unavailable', 'draining'];

story(9, 'every process restarted, one after another, under load', { deadLetters: 1, refusals: REFUSALS }, async ({ cluster, crowd, note }) => {
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
  await cluster.redis.kill();
  await cluster.startRedis();
  await pause(seconds(2));
  await crowd.rest();
  await crowd.settle(seconds(10));
  note({ drainMs: Math.max(...drains) });
  assert.ok(Math.max(...drains) < DRAIN_MS, `somebody took ${Math.max(...drains)} ms to leave`);

  const taken = Math.max(...(await crowd.jobs()).filter(isAccepted).map(({ at, answers }) => answers.at(-1).at + answers.at(-1).ms - at));
  note({ slowestAcceptanceMs: Math.round(taken) });
  assert.ok(taken < TAKEN_MS, `a job was accepted ${taken} ms after it was first submitted`);

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
