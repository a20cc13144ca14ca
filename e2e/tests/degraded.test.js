// Two gateways, and what is left when Pub/Sub or Redis is not.
// The first mayfly brings the Pub/Sub, which the second reaches through a proxy that can be cut; both reach Redis through another.

import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { after, before, describe, it } from 'node:test';
import { openPage, startChromium } from '../lib/browser.js';
import { Client } from '../lib/client.js';
import { startMayfly } from '../lib/mayfly.js';
import { startProxy } from '../lib/proxy.js';
import { startRedis } from '../lib/redis.js';

/** A refusal has to come within a second; the rest is for a busy machine. */
const REFUSAL_MS = 1_500;

let redis;
let first;
let second;
let toPubsub;
let toRedis;
before(async () => {
  redis = await startRedis();
  toRedis = await startProxy(redis.address);
  const env = { SESSION_SECRET: 'shared', REDIS_URL: `redis://${toRedis.address}` };
  first = await startMayfly(env);
  toPubsub = await startProxy(first.pubsub);
  second = await startMayfly({ ...env, PUBSUB_EMULATOR_HOST: toPubsub.address });
});
after(async () => {
  toPubsub?.heal();
  toRedis?.heal();
  await second?.stop();
  await first?.stop();
  toPubsub?.close();
  toRedis?.close();
  await redis?.kill();
});

const statusOf = (client) => client.last('status') ?? client.welcome.status;
const untilStatus = (client, name, state) => client.until(() => statusOf(client)[name] === state, `${name} ${state}`, 30_000);

describe('two gateways', () => {
  it('are one to a client that moves from one to the other', async () => {
    const here = await Client.connect(first.url);
    const id = await here.submit('echo', { moved: true, echo: { sleepMs: 500 } });
    here.close();
    const there = await Client.connect(second.url, { auth: { session: here.welcome.session.token } });
    assert.equal(there.welcome.session.id, here.welcome.session.id);
    assert.ok((await there.ask('job:resume', { jobs: [{ id, seq: 0 }] })).jobs[0].recovered);
    assert.equal((await there.end(id)).type, 'succeeded');
    assert.equal(there.ends(id).length, 1);
    there.close();
  });
});

describe('without Pub/Sub', () => {
  it('submits are refused at once, everything else goes on, and it heals by itself', async (t) => {
    const client = await Client.connect(second.url);
    t.after(() => client.close());
    const done = await client.submit('echo', 'before');
    await client.end(done);
    try {
      toPubsub.cut();
      const startedAt = performance.now();
      const { error } = await client.ask('job:submit', { kind: 'echo', payload: 'during' });
      assert.ok(performance.now() - startedAt < REFUSAL_MS, `refused after ${performance.now() - startedAt} ms`);
      assert.equal(error.code, 'queue_unavailable');
      assert.ok(error.retryAfterMs > 0);
      await untilStatus(client, 'pubsub', 'down');
      assert.equal(await client.ask('ping', 'still here'), 'still here');
      assert.equal((await client.ask('job:get', { id: done })).job.data, 'before');
    } finally {
      toPubsub.heal();
    }
    await untilStatus(client, 'pubsub', 'up');
    assert.equal((await client.end(await client.submit('echo', 'after'))).data, 'after');
  });
});

describe('without Redis', () => {
  it('jobs go on as before, and it is used again when it is back', async (t) => {
    const client = await Client.connect(second.url);
    t.after(() => client.close());
    await untilStatus(client, 'redis', 'up');
    try {
      toRedis.cut();
      await untilStatus(client, 'redis', 'down');
      const id = await client.submit('echo', { echo: { sleepMs: 2_500, steps: 5 } });
      assert.equal((await client.end(id)).type, 'succeeded');
      assert.ok(client.events(id).some(({ type }) => type === 'progress'), 'progress takes the other way');
    } finally {
      toRedis.heal();
    }
    await untilStatus(client, 'redis', 'up');
  });
});

describe('a channel with members at both gateways', () => {
  it('is heard once by everybody by Redis, by Pub/Sub, and near by without either', async (t) => {
    const channel = 'public:both';
    const [here, there] = [await Client.connect(first.url), await Client.connect(second.url)];
    t.after(() => [here, there].forEach((client) => client.close()));
    for (const client of [here, there]) assert.ok((await client.ask('channel:join', { channel })).ok);
    const said = (client) => client.heard.filter(([name]) => name === 'channel:event').map(([, { data }]) => data);
    const say = (data) => there.ask('channel:publish', { channel, data });
    try {
      await untilStatus(there, 'redis', 'up');
      assert.ok((await say('by Redis')).ok);
      toRedis.cut();
      await untilStatus(there, 'redis', 'down');
      assert.deepEqual(Object.keys(await say('by Pub/Sub')).sort(), ['id', 'ok']);
      await here.until(() => said(here).includes('by Pub/Sub'), 'what was said without Redis');
      toPubsub.cut();
      await there.ask('job:submit', { kind: 'echo', payload: 'notices that the queue is gone' });
      await untilStatus(there, 'pubsub', 'down');
      assert.equal((await say('near by')).local, true);
      await there.until(() => said(there).includes('near by'), 'what was said alone');
    } finally {
      toRedis.heal();
      toPubsub.heal();
    }
    await untilStatus(there, 'redis', 'up');
    await untilStatus(there, 'pubsub', 'up');
    assert.ok((await say('at last')).ok);
    for (const client of [here, there]) {
      await client.until(() => said(client).includes('at last'), 'the last word');
      assert.equal(new Set(said(client)).size, said(client).length);
    }
    assert.deepEqual(said(there), ['by Redis', 'by Pub/Sub', 'near by', 'at last']);
    assert.ok(!said(here).includes('near by'));
  });
});

describe('the page', () => {
  it('says what is missing, and offers a job until the queue is back', async () => {
    const browser = await startChromium();
    const page = await openPage(browser, second.url);
    const stateIs = (text) => page.locator('.job .badge', { hasText: text }).waitFor();
    try {
      await page.getByText('Remembers for hours').waitFor();
      toRedis.cut();
      await page.getByText(/Redis is away/).waitFor();
      toPubsub.cut();
      await page.getByRole('button', { name: 'Send echo' }).click();
      await stateIs('Not accepted yet');
      await page.getByText('Out of reach', { exact: true }).waitFor();
      await page.getByText(/The queue is out of reach just now\. Next try/).waitFor();
      await page.screenshot({ path: new URL('../../artifacts/page-degraded.png', import.meta.url).pathname, fullPage: true });
      toRedis.heal();
      toPubsub.heal();
      await stateIs('Done');
      await page.getByText('Accepting jobs').waitFor();
      await page.getByText('Remembers for hours').waitFor();
      assert.equal(await page.locator('.job').count(), 1);
      assert.deepEqual(page.complaints, []);
    } finally {
      toRedis.heal();
      toPubsub.heal();
      await browser.close();
    }
  });
});
