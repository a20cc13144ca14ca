// Messages that no worker can process, and one that kills whoever tries.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { describe } from 'node:test';
import { promisify } from 'node:util';
import { BINARY, surroundings } from '../../lib/mayfly.js';
import { now, pause, seconds, until } from '../lib/clock.js';
import { delivery, ends, isAccepted } from '../lib/ledger.js';
import { publish } from '../lib/outsider.js';
import { AFTER_A_CUT_MS } from '../lib/pubsub.js';
import { story } from '../lib/story.js';

const DEATHS = 3;
/** What one job may carry, in bytes. */
const MOST = 9_000_000;
const ABORTS = { ECHO_MAY_ABORT: 'true' };
const REFUSALS = ['payload_too_large', 'unknown_kind'];

describe('11. poison', { concurrency: true }, () => {
  story(11, 'a job that kills its worker is put aside after three deaths', { workers: 2, deadLetters: 1, env: () => ABORTS }, async ({ cluster, crowd, note }) => {
    await crowd.open(4);
    const deaths = ['worker-1', 'worker-2'].map((name) => cluster.keepAlive(name, ABORTS));
    await crowd.steady(5, { echo: { sleepMs: 300 } });
    await pause(seconds(1));
    const at = now();
    const [poison] = await crowd.submit(1, { echo: { abort: true } }, ['failed']);
    // A killed worker's jobs wait out a lease of 10 s, each time.
    await crowd.until([poison], ([job]) => ends(job).length > 0, 'the client to be told', seconds(60));
    note({ recoverMs: Math.round(now() - at) });
    await crowd.rest();
    const [job] = await crowd.jobs([poison]);
    assert.equal(ends(job)[0].code, 'dead_lettered');
    const [letter, ...others] = await deadLetters(cluster);
    assert.deepEqual([letter?.jobId, others], [poison, []]);
    await crowd.settle(AFTER_A_CUT_MS);
    // By now every lease of a dead worker is over, and nobody has died of it again.
    assert.equal(deaths.flat().length, DEATHS, JSON.stringify(deaths));
    const neighbours = (await crowd.jobs()).filter(({ id }) => id !== poison);
    // The ledger sees that each has succeeded. Innocent ones that died with it must not count as its accomplices.
    assert.ok(neighbours.some((neighbour) => ends(neighbour).some((end) => delivery(end) > 1)), 'no neighbour was at a worker when it died');
  });

  story(11, 'messages that make no sense are put aside, and the worker does not care', { workers: 1, deadLetters: 1, refusals: REFUSALS }, async ({ cluster, crowd, note }) => {
    await crowd.open(4);
    const pids = cluster.pids();
    await crowd.steady(5, { echo: { sleepMs: 100 } });

    const [tooLarge] = await crowd.submit(1, 'x'.repeat(MOST));
    await crowd.until([tooLarge], ([{ answers }]) => answers.length > 0, 'an answer', seconds(5));
    const [{ answers: [answer] }] = await crowd.jobs([tooLarge]);
    assert.deepEqual([answer.outcome, answer.code], ['refused', 'payload_too_large']);

    const [oversized, foreign, future, notJson, untimely] = await crowd.adopt(Array.from({ length: 5 }, () => randomUUID()), ['failed']);
    const stray = randomUUID();
    await publish(cluster, 'jobs-echo', [
      { attributes: oversized, data: JSON.stringify('x'.repeat(MOST)) },
      { attributes: { ...foreign, kind: 'juggling' } },
      { attributes: { ...future, schema: '2' } },
      { attributes: { ...notJson, 'content-type': 'application/json' }, data: '{no json' },
      { attributes: { ...untimely, 'timeout-ms': 'soon', 'submitted-at': 'once upon a time' } },
      { attributes: { id: stray, audience: 'everybody and their dog', 'max-attempts': '\u{1f4a5}' } },
      { attributes: { id: '17', [`x-${'y'.repeat(200)}`]: 'z'.repeat(1_000) }, data: Buffer.from([0, 255, 254]) },
    ]);
    await publish(cluster, 'events', [
      { attributes: { audience: 'all' }, data: '{no json' },
      { attributes: { id: '17', audience: 'all', kind: 'echo', type: 'exploded', seq: '-1' } },
      { attributes: { id: randomUUID(), kind: 'echo', type: 'succeeded', seq: 'many' }, data: Buffer.from([0, 255, 254]) },
    ]);
    const ids = [oversized, foreign, future, notJson, untimely].map(({ id }) => id);
    const at = now();
    await crowd.until(ids, (jobs) => jobs.every((job) => ends(job).length), 'everybody to be told who can be', seconds(15));
    note({ recoverMs: Math.round(now() - at) });
    const codes = (await crowd.jobs(ids)).map((job) => ends(job)[0].code);
    assert.deepEqual(codes, ['invalid_payload', 'dead_lettered', 'dead_lettered', 'invalid_payload', 'dead_lettered']);

    const listed = async () => {
      const found = await deadLetters(cluster);
      return found.length >= 5 && found;
    };
    const letters = await until(listed, 'the dead letters to be listed', seconds(30));
    const reasons = letters.map(({ attributes, reason }) => [attributes.id, reason]);
    for (const [id, culprit] of [[foreign.id, /kind.*juggling/], [future.id, /schema/], [untimely.id, /submitted-at|timeout-ms/], [stray, /audience|max-attempts/], ['17', /id|audience/]]) {
      assert.match(reasons.find(([of]) => of === id)?.[1] ?? `nothing about ${id}`, culprit);
    }
    assert.equal(letters.length, 5);

    const since = now();
    await until(async () => (await crowd.jobs()).some((job) => job.at > since && isAccepted(job) && ends(job).length), 'an ordinary job to be done', seconds(5));
    assert.deepEqual(cluster.pids(), pids);
  });
});

/** What an operator is shown. */
async function deadLetters(cluster) {
  const { address } = await cluster.link('operator', 'pubsub');
  const env = { ...surroundings(), PUBSUB_EMULATOR_HOST: address, TOPIC_PREFIX: cluster.prefix };
  const { stdout } = await promisify(execFile)(BINARY, ['dead-letters', 'list', '--json'], { env, timeout: seconds(30), maxBuffer: 64 << 20 });
  return stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line));
}
