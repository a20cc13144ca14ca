// Pub/Sub away, in every way in which it can be. Most stories do nothing but wait, so some run together, but not all: each starts
// five processes. The one that starts servers, of which Google's keeps all cores busy for seconds, is alone.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { now, pause, seconds, until } from '../lib/clock.js';
import { isAccepted, LOST } from '../lib/ledger.js';
import { AWAY, checkRefusals, HEAL_MS, healed, openUnderLoad, outage } from '../lib/outage.js';
import { inventory, list, remove } from '../lib/outsider.js';
import { schedule } from '../lib/schedule.js';
import { story } from '../lib/story.js';

const each = (cluster, act) => cluster.links('pubsub').forEach(act);
/** In one direction; there and back it is twice as much. */
const FAR_MS = 250;
const TOO_FAR_MS = 500;
const FAR_S = schedule({ full: 15, short: 8 });
const RESETS = schedule({ full: 15, short: 8 });
const AWAY_S = schedule({ full: 60, short: 15 });
const FROZEN_S = schedule({ full: 30, short: 15 });
const ABSENT_S = schedule({ full: 30, short: 3 });
/** A gateway that starts without Pub/Sub hopes for it for a while before it asks for clients: it could hold their history. */
const DOORS_MS = seconds(12);

// Either emulator forgets everything when it is killed, also jobs that were accepted; so there are none at that moment.
story(7, `Pub/Sub killed, and ${AWAY_S} s later started anew with nothing in it`, { ...AWAY, isOwn: true }, async (world) => {
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
    ms: seconds(AWAY_S),
  });
});

describe('7. Pub/Sub away', { concurrency: 2 }, () => {
  story(7, 'no Pub/Sub at boot: sockets all the same, submits refused, all well within 5 s of its arrival', { ...AWAY, pubsub: false }, async (world) => {
    const { cluster, crowd } = world;
    const startedAt = now();
    await crowd.open(4);
    assert.ok(now() - startedAt < DOORS_MS, `clients waited for ${now() - startedAt} ms`);
    await crowd.steady(4);
    const began = now();
    await pause(seconds(ABSENT_S));
    const refused = () => crowd.jobs().then((jobs) => jobs.filter(({ answers }) => answers.length).length >= 2 * ABSENT_S);
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

  story(7, `Pub/Sub cut off for ${AWAY_S} s, with jobs under way`, { ...AWAY, workers: 2 }, async (world) => {
    const { cluster, crowd } = world;
    await openUnderLoad(world);
    const underWay = await crowd.submit(20, { echo: { sleepMs: 3_000 } });
    await crowd.until(underWay, (jobs) => jobs.every(isAccepted), 'the long jobs to be accepted', seconds(5));
    // Everything that was accepted before must end, wherever it was when the line went.
    await outage(world, {
      begin: () => each(cluster, (link) => link.cut()),
      end: () => each(cluster, (link) => link.heal()),
      ms: seconds(AWAY_S),
    });
  });

  story(7, `Pub/Sub frozen for ${FROZEN_S} s: open connections, no answers`, AWAY, async (world) => {
    const { cluster, crowd } = world;
    await openUnderLoad(world);
    await outage(world, {
      begin: () => each(cluster, (link) => link.freeze()),
      end: () => each(cluster, (link) => link.heal()),
      ms: seconds(FROZEN_S),
    });
  });

  story(7, 'Pub/Sub half a second away: slower, but hardly anybody is refused', { ...AWAY, redis: false }, async (world) => {
    const { cluster, crowd } = world;
    await openUnderLoad(world);
    const slowedAt = now();
    each(cluster, (link) => link.slow(FAR_MS));
    await pause(seconds(FAR_S));
    await crowd.rest();
    await crowd.settle(seconds(10));
    const jobs = (await crowd.jobs()).filter(({ at }) => at > slowedAt);
    checkRefusals(jobs);
    // What is left of the publish's deadline is little on a busy machine, but enough for nearly everybody.
    const refused = jobs.filter((job) => !isAccepted(job));
    assert.ok(refused.length <= jobs.length / 20, `${refused.length} of ${jobs.length} submits were refused`);
    assert.ok(jobs.some(({ answers }) => answers[0].ms > 2 * FAR_MS), 'nobody noticed');
    assert.deepEqual((await crowd.moves(slowedAt)).filter(({ type }) => type === 'disconnect'), []);
  });

  story(7, 'Pub/Sub a second away: too far for an answer in time, so everybody is refused, and nobody waits', { ...AWAY, redis: false }, async (world) => {
    const { cluster } = world;
    await openUnderLoad(world);
    await outage(world, {
      begin: () => each(cluster, (link) => link.slow(TOO_FAR_MS)),
      end: () => each(cluster, (link) => link.heal()),
      ms: seconds(FAR_S),
    });
  });

  story(7, 'connections to Pub/Sub reset every second', { ...AWAY, redis: false }, async (world) => {
    const { cluster, crowd } = world;
    await openUnderLoad(world);
    const resetting = setInterval(() => each(cluster, (link) => link.reset()), seconds(1));
    const { began, ended } = await outage(world, { begin() {}, end: () => clearInterval(resetting), ms: seconds(RESETS), refuses: false }).finally(() => clearInterval(resetting));
    // A reset is no outage: whoever comes in between is served.
    const jobs = (await crowd.jobs()).filter(({ at }) => at > began && at < ended);
    const share = jobs.filter(isAccepted).length / jobs.length;
    assert.ok(share > 0.9, `only ${Math.round(share * 100)} % of all submits were accepted`);
  });

  for (const what of ['topics', 'subscriptions']) {
    story(7, `all ${what} deleted, with submits under way`, AWAY, async (world) => {
      const { cluster, crowd } = world;
      await openUnderLoad(world);
      await crowd.rest();
      await crowd.settle(seconds(10));
      const pids = cluster.pids();
      const before = await inventory(cluster);
      // What is accepted while there is no subscription reaches nobody, by Pub/Sub's own rules.
      await crowd.steady(40, {}, ['succeeded', LOST]);
      for (const name of await list(cluster, what)) await remove(cluster, what, name);
      const gone = now();
      const isBack = async () => (await inventory(cluster)) === before;
      await until(isBack, async () => `what was there before:\n${before}\nand there is\n${await inventory(cluster)}`, HEAL_MS);
      await crowd.steady(8, {});
      await healed(world, gone);
      await crowd.rest();
      checkRefusals(await crowd.jobs());
      assert.deepEqual(cluster.pids(), pids);
      assert.deepEqual((await crowd.moves(gone)).filter(({ type }) => type === 'disconnect'), []);
    });
  }
});
