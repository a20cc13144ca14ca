// Pub/Sub away, in every way in which it can be. Most stories do nothing but wait, so some run together, but not all: each starts
// five processes. The one that starts servers, of which Google's keeps all cores busy for seconds, is alone.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { now, pause, seconds, until } from '../lib/clock.js';
import { isAccepted } from '../lib/ledger.js';
import { checkRefusals, drained, healed, openUnderLoad, outage } from '../lib/outage.js';
import { list, remove } from '../lib/outsider.js';
import { AFTER_A_CUT_MS, SERVER } from '../lib/pubsub.js';
import { schedule } from '../lib/schedule.js';
import { story } from '../lib/story.js';

const each = (cluster, act) => cluster.links('pubsub').forEach(act);
/** In one direction; there and back it is twice as much. */
const LATENCY_MS = 250;
const RESETS = schedule({ full: 15, short: 8 });
/** A full minute once is enough: what happens after so long does not depend on the server that is away. */
const CUT_S = schedule({ full: SERVER === 'google' ? 20 : 60, short: 15 });
const FROZEN_S = schedule({ full: 30, short: 15 });

// Either emulator forgets everything when it is killed, also jobs that were accepted; so there are none at that moment.
story(7, 'Pub/Sub killed, and started anew with nothing in it', { workers: 1, isOwn: true }, async (world) => {
  const { cluster, crowd } = world;
  await openUnderLoad(world);
  await crowd.rest();
  await crowd.settle(seconds(10));
  await outage(world, {
    begin: async () => {
      await cluster.pubsub.kill();
      await crowd.steady(8, {});
    },
    end: () => cluster.startPubsub({ isOwn: true }),
    ms: seconds(10),
  });
});

describe('7. Pub/Sub away', { concurrency: 2 }, () => {
  story(7, 'no Pub/Sub at boot: sockets at once, submits refused, all well within 5 s of its arrival', { pubsub: false, workers: 1 }, async (world) => {
    const { cluster, crowd } = world;
    await crowd.open(4);
    await crowd.steady(4);
    const began = now();
    const refused = () => crowd.jobs().then((jobs) => jobs.filter(({ answers }) => answers.length).length >= 12);
    await until(refused, 'submits to be answered', seconds(10));
    assert.deepEqual((await crowd.jobs()).filter(isAccepted), [], 'nobody can have taken a job');
    assert.ok(Math.max(...(await crowd.ping())) < seconds(1));
    const pids = cluster.pids();
    await cluster.startPubsub();
    await healed(world, now());
    await crowd.rest();
    checkRefusals(await crowd.jobs());
    assert.deepEqual(cluster.pids(), pids);
    assert.deepEqual((await crowd.moves(began)).filter(({ type }) => type === 'disconnect'), []);
  });

  story(7, `Pub/Sub cut off for ${CUT_S} s, with jobs under way`, { workers: 2 }, async (world) => {
    const { cluster, crowd, note } = world;
    await openUnderLoad(world);
    const underWay = await crowd.submit(20, { echo: { sleepMs: 3_000 } });
    await crowd.until(underWay, (jobs) => jobs.every(isAccepted), 'the long jobs to be accepted', seconds(5));
    const { ended } = await outage(world, {
      begin: () => each(cluster, (link) => link.cut()),
      end: () => each(cluster, (link) => link.heal()),
      ms: seconds(CUT_S),
    });
    // Everything that was accepted before, wherever it was when the line went.
    const at = await until(async () => drained(await crowd.jobs(), ended), 'the jobs from before to end', AFTER_A_CUT_MS);
    note({ drainMs: Math.max(0, Math.round(at - ended)) });
  });

  story(7, `Pub/Sub frozen for ${FROZEN_S} s: open connections, no answers`, { workers: 1 }, async (world) => {
    const { cluster, crowd, note } = world;
    await openUnderLoad(world);
    const { ended } = await outage(world, {
      begin: () => each(cluster, (link) => link.freeze()),
      end: () => each(cluster, (link) => link.heal()),
      ms: seconds(FROZEN_S),
    });
    const at = await until(async () => drained(await crowd.jobs(), ended), 'the jobs from before to end', AFTER_A_CUT_MS);
    note({ drainMs: Math.max(0, Math.round(at - ended)) });
  });

  story(7, 'Pub/Sub half a second away: slower, but hardly anybody is refused', { workers: 1, redis: false }, async (world) => {
    const { cluster, crowd } = world;
    await openUnderLoad(world);
    const slowedAt = now();
    each(cluster, (link) => link.slow(LATENCY_MS));
    await pause(seconds(schedule({ full: 15, short: 8 })));
    await crowd.rest();
    await crowd.settle(seconds(10));
    const jobs = (await crowd.jobs()).filter(({ at }) => at > slowedAt);
    checkRefusals(jobs);
    // What is left of the publish's deadline is little on a busy machine, but enough for nearly everybody.
    const refused = jobs.filter((job) => !isAccepted(job));
    assert.ok(refused.length <= jobs.length / 20, `${refused.length} of ${jobs.length} submits were refused`);
    assert.ok(jobs.some(({ answers }) => answers[0].ms > 2 * LATENCY_MS), 'nobody noticed');
    assert.deepEqual((await crowd.moves(slowedAt)).filter(({ type }) => type === 'disconnect'), []);
  });

  story(7, 'connections to Pub/Sub reset every second', { workers: 1, redis: false }, async (world) => {
    const { cluster, crowd } = world;
    await openUnderLoad(world);
    const resetting = setInterval(() => each(cluster, (link) => link.reset()), seconds(1));
    await outage(world, { begin() {}, end: () => clearInterval(resetting), ms: seconds(RESETS), refuses: false }).finally(() => clearInterval(resetting));
    // A reset is no outage: whoever comes in between is served.
    const jobs = await crowd.jobs();
    const share = jobs.filter(isAccepted).length / jobs.length;
    assert.ok(share > 0.5, `only ${Math.round(share * 100)} % of all submits were accepted`);
  });

  // What is accepted when a subscription is gone reaches nobody by Pub/Sub's own rules; so there is nothing under way.
  story(7, 'all topics and subscriptions deleted', { workers: 1 }, async (world) => {
    const { cluster, crowd } = world;
    await openUnderLoad(world);
    await crowd.rest();
    await crowd.settle(seconds(10));
    const pids = cluster.pids();
    for (const what of ['topics', 'subscriptions']) {
      for (const name of await list(cluster, what)) await remove(cluster, what, name);
    }
    const gone = now();
    await crowd.steady(8, {});
    await healed(world, gone);
    await crowd.rest();
    checkRefusals(await crowd.jobs());
    assert.deepEqual(cluster.pids(), pids);
    assert.deepEqual((await crowd.moves(gone)).filter(({ type }) => type === 'disconnect'), []);
  });
});
