// Every service from its own binary, as in production: an emulator, a Redis, two gateways and the workers.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client } from '../lib/client.js';
import { png } from '../lib/picture.js';
import { startRedis } from '../lib/redis.js';
import { startService } from '../lib/service.js';

const GATEWAY = /serving on (http:\/\/\S+)/;
const WORKER = /(taking jobs)/;

const running = [];
let redis;
let one;
let other;

async function run(service) {
  const started = await service;
  running.unshift(started);
  return started;
}

before(async () => {
  const pubsub = await run(startService('emulator', { PUBSUB_EMULATOR_LISTEN: '127.0.0.1:0' }, /(127\.0\.0\.1:\d+)/));
  redis = await startRedis();
  const env = { PUBSUB_EMULATOR_HOST: pubsub.found, REDIS_URL: `redis://${redis.address}`, SESSION_SECRET: 'shared by both gateways', PORT: '0', HEALTH_PORT: '0' };
  await Promise.all(['worker-echo', 'worker-thumbnail'].map((name) => run(startService(name, env, WORKER))));
  [one, other] = await Promise.all([1, 2].map(() => run(startService('gateway', env, GATEWAY))));
});
// The last started is the first to leave: workers and gateways drain before what they need is gone.
after(async () => {
  for (const service of running) await service.stop();
  await redis?.kill();
});

describe('services on their own', () => {
  it('take a job from a socket to a worker and back', async () => {
    const client = await Client.connect(one.found);
    const end = await client.end(await client.submit('echo', { text: 'apart' }));
    assert.deepEqual([end.type, end.data], ['succeeded', { text: 'apart' }]);
    const [width, height] = [320, 200];
    const previews = await client.end(await client.submit('thumbnail', { image: png(width, height), widths: [64] }));
    assert.deepEqual([previews.data.width, previews.data.height, previews.data.previews.length], [width, height, 1]);
    client.close();
  });

  it('know a session at every gateway', async () => {
    const here = await Client.connect(one.found);
    const there = await Client.connect(other.found, { auth: { session: here.welcome.session.token } });
    assert.equal(there.welcome.session.id, here.welcome.session.id);
    const id = await here.submit('echo', 'for both');
    assert.equal((await there.end(id)).data, 'for both');
    assert.equal((await there.ask('job:get', { id })).job.state, 'succeeded');
    here.close();
    there.close();
  });

  it('pass progress on by Redis, finer than Pub/Sub would', async () => {
    const client = await Client.connect(one.found);
    await client.until(() => (client.last('status') ?? client.welcome.status).redis === 'up', 'Redis is up');
    const steps = 8;
    const id = await client.submit('echo', { echo: { sleepMs: 800, steps } });
    await client.end(id);
    const progress = client.events(id).filter(({ type }) => type === 'progress');
    assert.ok(progress.length >= steps / 2, `${progress.length} of ${steps} reports came`);
    client.close();
  });
});
