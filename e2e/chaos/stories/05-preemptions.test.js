import assert from 'node:assert/strict';
import { pause, seconds } from '../lib/clock.js';
import { ends } from '../lib/ledger.js';
import { schedule } from '../lib/schedule.js';
import { story } from '../lib/story.js';

const ROUNDS = schedule({ full: 10, short: 4 });
/** After that long a preempted machine is gone, ready or not. */
const KILL_AFTER_MS = seconds(15);
/** Between two preemptions; less than a drain takes, so that they overlap. */
const PERIOD_MS = seconds(5);
const CLIENTS = 200;
const JOBS_PER_SECOND = 20;
const JOB_MS = 1_500;
const DRAIN_MS = seconds(12);
/** What a client waits longer for a job because of all this. */
const WAIT_MS = seconds(20);
const SETTLE_MS = seconds(30);

story(5, `half of everything preempted at once, ${ROUNDS} times over: SIGTERM, and SIGKILL 15 s later`, {}, async ({ cluster, crowd, note }) => {
  await crowd.open(CLIENTS);
  await crowd.steady(JOBS_PER_SECOND, { text: 'steady', echo: { sleepMs: JOB_MS, steps: 3 } });
  const halves = [['gateway-1', 'worker-1'], ['gateway-2', 'worker-2']];
  const leaving = [];
  for (let round = 1; round <= ROUNDS; round++) {
    leaving.push(...halves.shift().map((name) => cluster.terminate(name, KILL_AFTER_MS)));
    // Their replacements come up elsewhere while they are still leaving, and being sent clients.
    const next = pause(PERIOD_MS);
    halves.push([`gateway-${round + 2}`, `worker-${round + 2}`]);
    await Promise.all(halves.at(-1).map((name) => cluster.start(name)));
    await next;
  }
  const departures = await Promise.all(leaving);
  const slowest = Math.max(...departures.map(({ ms }) => ms));
  await crowd.rest();
  await crowd.settle(SETTLE_MS);
  const waits = (await crowd.jobs()).flatMap((job) => ends(job).map(({ at }) => at - job.at - JOB_MS));
  const longest = Math.max(...waits);
  note({ drainMs: slowest, recoverMs: Math.round(longest) });
  assert.deepEqual(departures.filter(({ end }) => end !== 0), [], 'everybody left by themselves');
  assert.ok(longest < WAIT_MS, `somebody waited ${longest} ms longer than the job takes`);
  assert.ok(slowest < DRAIN_MS, `the slowest took ${slowest} ms`);
});
