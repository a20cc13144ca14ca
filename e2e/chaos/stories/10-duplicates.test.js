// Messages that come again, come twice, or come in the wrong order, as at-least-once delivery allows.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe } from 'node:test';
import { pause, seconds } from '../lib/clock.js';
import { delivery, ends } from '../lib/ledger.js';
import { publish } from '../lib/outsider.js';
import { AFTER_A_CUT_MS } from '../lib/pubsub.js';
import { story } from '../lib/story.js';

const JOBS = 20;
const TIMES = 5;
/** Longer than any event should take, so that one too many would have come. */
const QUIET_MS = seconds(3);
const STEP = 1;
const DELIVERY = 2 ** 20;

describe('10. messages again, twice and in the wrong order', { concurrency: true }, () => {
  story(10, 'every job published five times, at two workers', { workers: 2 }, async ({ cluster, crowd, note }) => {
    const adopted = await adopt(crowd);
    // One request for each time round, so that they are not one batch for one worker.
    for (let time = 0; time < TIMES; time++) await publish(cluster, 'jobs-echo', adopted.map(job));
    // And once more when they are long done.
    await crowd.settle(seconds(15));
    await publish(cluster, 'jobs-echo', adopted.map(job));
    await judge(crowd, note);
  });

  for (const redis of [true, false]) {
    story(10, `a worker that stands still beyond its leases and then goes on, ${redis ? 'with' : 'without'} Redis`, { workers: 1, redis }, async ({ cluster, crowd, note }) => {
      await crowd.open(4);
      const ids = await crowd.submit(4, { echo: { sleepMs: 3_000, ignoreCancel: true } });
      await crowd.until(ids, (jobs) => jobs.every(({ events }) => events.some(({ type }) => type === 'started')), 'the first worker to be at every job', seconds(10));
      await cluster.start('worker-2');
      // Its machine stands still, and Pub/Sub has given up its connections; else it may be given the same jobs again.
      cluster.freeze('worker-1');
      const link = await cluster.link('worker-1', 'pubsub');
      link.cut();
      await crowd.until(ids, (jobs) => jobs.every((job) => ends(job).length), 'the second worker to finish', AFTER_A_CUT_MS);
      link.heal();
      cluster.thaw('worker-1');
      // It has as much left to do as when it was stopped, and then its own end to tell.
      await pause(seconds(4));
      for (const job of await crowd.jobs(ids)) assert.ok(delivery(ends(job)[0]) > 1, `job ${job.id} was never taken over`);
      await judge(crowd, note);
    });
  }

  story(10, 'every terminal event published five times', { workers: 1 }, async ({ cluster, crowd, note }) => {
    const adopted = await adopt(crowd);
    const events = adopted.map((to) => event(to, 'succeeded', DELIVERY));
    for (let time = 0; time < TIMES; time++) await publish(cluster, 'events', events);
    await judge(crowd, note);
  });

  story(10, 'two different terminal events racing, from two workers that had the same job', { workers: 1 }, async ({ cluster, crowd, note }) => {
    const adopted = await adopt(crowd, ['succeeded', 'failed']);
    await Promise.all([
      publish(cluster, 'events', adopted.map((to) => event(to, 'succeeded', DELIVERY))),
      publish(cluster, 'events', adopted.map((to) => event(to, 'failed', 2 * DELIVERY))),
    ]);
    await judge(crowd, note);
  });

  story(10, 'events in the wrong order, some of them after the end', { workers: 1 }, async ({ cluster, crowd, note }) => {
    const adopted = await adopt(crowd);
    const inOrder = [['started', 0], ['progress', STEP], ['progress', 2 * STEP], ['progress', 3 * STEP], ['succeeded', 4 * STEP], ['started', DELIVERY], ['progress', DELIVERY + STEP]];
    for (const index of [2, 0, 3, 1, 5, 4, 6, 2]) await publish(cluster, 'events', adopted.map((to) => event(to, inOrder[index][0], DELIVERY + inOrder[index][1])));
    await judge(crowd, note);
  });
});

async function adopt(crowd, mayEnd) {
  await crowd.open(4);
  return crowd.adopt(Array.from({ length: JOBS }, () => randomUUID()), mayEnd);
}

const job = ({ id, audience }) => ({ attributes: { id, audience }, data: '{"echo":{"sleepMs":300}}' });

function event({ id, audience }, type, seq) {
  const data = { succeeded: '{"it":"is done"}', failed: '{"code":"no_luck","message":"it is not to be"}', progress: '{"progress":0.5}' }[type];
  const attributes = { id, audience, kind: 'echo', type, seq: String(seq) };
  return { attributes: data ? { ...attributes, 'content-type': 'application/json' } : attributes, data };
}

/** One end each, numbers that only grow, and nothing after the end. */
async function judge(crowd, note) {
  await crowd.settle(seconds(15));
  await pause(QUIET_MS);
  const jobs = await crowd.jobs();
  for (const { id, events } of jobs) {
    assert.equal(ends({ events }).length, 1, `job ${id} has ended ${ends({ events }).length} times: ${JSON.stringify(events)}`);
    assert.ok(events.every(({ seq }, index) => index === 0 || seq > events[index - 1].seq), `job ${id} went backwards: ${JSON.stringify(events)}`);
    assert.equal(ends({ events: events.slice(-1) }).length, 1, `job ${id} went on after its end: ${JSON.stringify(events)}`);
  }
  note({ recoverMs: Math.round(Math.max(...jobs.map((job) => ends(job)[0].at - job.at))) });
}
