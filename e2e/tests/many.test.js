// Ten thousand jobs: every one acknowledged, answered once, and in order.

import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { after, before, it } from 'node:test';
import { Client } from '../lib/client.js';
import { startMayfly } from '../lib/mayfly.js';

const SOCKETS = 50;
const JOBS_PER_SOCKET = 200;
/** Unfinished jobs per socket. */
const IN_FLIGHT = 8;
const DEADLINE_MS = 120_000;

let mayfly;
// One client's usual allowance is made for a person, not for this.
before(async () => { mayfly = await startMayfly({ SUBMITS_PER_SECOND: '100000' }); });
after(() => mayfly?.stop());

it(`${SOCKETS} sockets get ${SOCKETS * JOBS_PER_SOCKET} jobs done, each answered exactly once`, { timeout: DEADLINE_MS }, async (t) => {
  const clients = await Promise.all(Array.from({ length: SOCKETS }, () => Client.connect(mayfly.url, { transports: ['websocket'] })));
  const trips = [];
  const startedAt = performance.now();
  const ids = await Promise.all(clients.map((client, number) => work(client, number, trips)));
  const seconds = (performance.now() - startedAt) / 1000;
  // Whatever a server might still send twice is behind us once a later job has come back.
  await Promise.all(clients.map(async (client) => client.end(await client.submit('echo', 'last'))));

  assert.equal(new Set(ids.flat()).size, SOCKETS * JOBS_PER_SOCKET);
  clients.forEach((client, number) => check(client, ids[number]));
  clients.forEach((client) => client.close());

  trips.sort((a, b) => a - b);
  const quantile = (q) => trips[Math.ceil(q * trips.length) - 1].toFixed(1);
  t.diagnostic(`${Math.round(trips.length / seconds)} jobs/s; round trip p50 ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms`);
});

/** Keeps `IN_FLIGHT` jobs going until all are done; returns their ids. */
async function work(client, number, trips) {
  const ids = [];
  let next = 0;
  const lane = async () => {
    while (next < JOBS_PER_SOCKET) {
      const job = next++;
      const submittedAt = performance.now();
      const id = await client.submit('echo', { number, job });
      ids[job] = id;
      const end = await client.end(id, DEADLINE_MS);
      trips.push(performance.now() - submittedAt);
      assert.deepEqual([end.type, end.data], ['succeeded', { number, job }]);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return ids;
}

function check(client, ids) {
  for (const id of ids) {
    const events = client.events(id);
    assert.equal(events.filter(({ type }) => type === 'succeeded').length, 1);
    assert.equal(events.at(-1).type, 'succeeded');
    events.reduce((previous, event) => {
      assert.ok(event.seq > previous.seq, `seq ${event.seq} after ${previous.seq}`);
      return event;
    });
  }
}
