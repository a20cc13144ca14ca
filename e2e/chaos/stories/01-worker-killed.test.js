import assert from 'node:assert/strict';
import { now, seconds } from '../lib/clock.js';
import { delivery, ends } from '../lib/ledger.js';
import { story } from '../lib/story.js';

const JOBS = 20;
const JOB_MS = 2_000;

story(1, 'kill -9 a worker mid-job: another finishes it within 20 s', { workers: 1 }, async ({ cluster, crowd, note }) => {
  await crowd.open(4);
  await crowd.steady(20, { text: 'meanwhile' });
  const ids = await crowd.submit(JOBS, { echo: { sleepMs: JOB_MS } });
  await crowd.until(ids, (jobs) => jobs.every(({ events }) => events.some(({ type }) => type === 'started')), 'the first worker to be at every job', seconds(10));
  await cluster.start('worker-2');
  const killedAt = now();
  await cluster.kill('worker-1');
  await crowd.until(ids, (jobs) => jobs.every((job) => ends(job).length), 'the second worker to finish', seconds(25));
  const jobs = await crowd.jobs(ids);
  const lasted = Math.max(...jobs.flatMap((job) => ends(job).map(({ at }) => at - killedAt)));
  note({ recoverMs: Math.round(lasted) });
  assert.ok(lasted < seconds(20), `it took ${lasted} ms`);
  // A job that was over before the kill would prove nothing.
  for (const job of jobs) assert.ok(delivery(ends(job)[0]) > 1, `job ${job.id} was never taken over`);
});
