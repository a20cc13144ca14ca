// One gateway cannot reach Pub/Sub, and the other one can.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { seconds } from '../lib/clock.js';
import { ends, isAccepted } from '../lib/ledger.js';
import { AWAY, openUnderLoad, outage } from '../lib/outage.js';
import { schedule } from '../lib/schedule.js';
import { story } from '../lib/story.js';

const LASTS_MS = seconds(schedule({ full: 15, short: 8 }));

describe('8. one gateway is cut off from Pub/Sub', { concurrency: true }, () => {
  partition('its connections are gone', (link) => link.cut());
  partition('its packets are lost, and nobody says so', (link) => link.freeze());
});

function partition(how, sever) {
  story(8, `one gateway cut off from Pub/Sub, the other not: ${how}`, AWAY, async (world) => {
    const { cluster, crowd } = world;
    await openUnderLoad(world);
    const underWay = await crowd.submit(16, { echo: { sleepMs: 2_000 } });
    await crowd.until(underWay, (jobs) => jobs.every(isAccepted), 'the long jobs to be accepted', seconds(5));
    const link = await cluster.link('gateway-1', 'pubsub');
    const { began, ended } = await outage(world, { begin: () => sever(link), end: () => link.heal(), ms: LASTS_MS, at: ['gateway-1'] });
    const jobs = await crowd.jobs();
    const there = jobs.filter(({ at, answers }) => at > began && at < ended - seconds(2) && answers[0].gateway === 'gateway-2');
    assert.ok(there.length > LASTS_MS / seconds(1), `only ${there.length} submits at the healthy gateway`);
    assert.deepEqual(there.filter((job) => !isAccepted(job)), [], 'the healthy gateway refuses nobody');
    assert.deepEqual(there.filter((job) => !ends(job).some(({ at }) => at < job.at + seconds(2))), [], 'nor keeps anybody waiting');
    assert.deepEqual((await crowd.state()).statuses.filter(({ pubsub }) => pubsub !== 'up'), [], 'everybody is told that all is well again');
  });
}
