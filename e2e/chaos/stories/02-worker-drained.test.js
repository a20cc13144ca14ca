import assert from 'node:assert/strict';
import { now, pause, seconds } from '../lib/clock.js';
import { delivery, ends } from '../lib/ledger.js';
import { story } from '../lib/story.js';

const JOBS = 100;
/** Longer than a drain may take, so that what runs has to be handed back too. */
const JOB_MS = 14_000;
/** The first ones are short enough to be finished by the worker that leaves, and long enough to be under way when it is told. */
const SHORT_JOBS = 10;
const SHORT_MS = 9_000;
/** What one worker runs at a time; the rest it has leased ahead. */
const RUNNING = 64;
const DRAIN_MS = seconds(12);
const RESTART_MS = seconds(1);

const startOf = (job, number) => job.events.find((event) => event.type === 'started' && delivery(event) === number)?.at;

story(2, 'SIGTERM a worker with 100 leased jobs: the others start within 1 s', { workers: 1 }, async ({ cluster, crowd, note }) => {
  await crowd.open(4);
  const short = await crowd.submit(SHORT_JOBS, { echo: { sleepMs: SHORT_MS, ignoreCancel: true } });
  await crowd.until(short, (jobs) => jobs.every((job) => startOf(job, 1)), 'the first worker to be at the short jobs', seconds(10));
  const ids = await crowd.submit(JOBS - SHORT_JOBS, { echo: { sleepMs: JOB_MS, ignoreCancel: true } });
  await crowd.until(ids, (jobs) => jobs.filter((job) => startOf(job, 1)).length === RUNNING - SHORT_JOBS, 'the first worker to be at its fill', seconds(10));
  await cluster.start('worker-2', { WORKER_CONCURRENCY: String(JOBS) });
  // What the first one had not leased would start here now.
  await pause(seconds(1));
  const leased = await crowd.jobs(ids);
  assert.equal(leased.filter((job) => startOf(job, 1)).length, RUNNING - SHORT_JOBS, 'the first worker has leased them all');
  assert.deepEqual((await crowd.jobs(short)).filter((job) => ends(job).length), [], 'the short jobs are under way');

  const toldAt = now();
  const { end, ms } = await cluster.terminate('worker-1');
  const leftAt = now();
  note({ drainMs: ms });
  await crowd.until(ids, (jobs) => jobs.every((job) => startOf(job, 2)), 'the second worker to be at every job', seconds(15));
  const waiting = new Set(leased.filter((job) => !startOf(job, 1)).map(({ id }) => id));
  const jobs = await crowd.jobs(ids);
  const slowest = (chosen, since) => Math.round(Math.max(0, ...chosen.map((job) => startOf(job, 2) - since)));
  const unstarted = slowest(jobs.filter(({ id }) => waiting.has(id)), toldAt);
  const interrupted = slowest(jobs.filter(({ id }) => !waiting.has(id)), leftAt);
  note({ recoverMs: Math.max(unstarted, interrupted), unstartedMs: unstarted, interruptedMs: interrupted });

  assert.equal(end, 0);
  assert.ok(ms < DRAIN_MS, `it left after ${ms} ms`);
  for (const job of await crowd.jobs(short)) assert.equal(delivery(ends(job)[0]), 1, `job ${job.id} could have been finished`);
  assert.ok(unstarted < RESTART_MS, `what had not started was elsewhere ${unstarted} ms after the signal`);
  assert.ok(interrupted < RESTART_MS, `what ran was elsewhere ${interrupted} ms after its worker had left`);
});
