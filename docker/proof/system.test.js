// The whole system as compose.yaml starts it, within the limits that the manifests have.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { after, before, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from '../../e2e/lib/client.js';
import { png } from '../../e2e/lib/picture.js';
import { freePort } from '../../e2e/lib/redis.js';
import { compose, docker, inspect, kernelStatus, memoryOf, services } from './engine.js';

/** Another name than a system that somebody uses beside this one. */
const PROJECT = 'mayfly-proof';
const START_DEADLINE_MS = 60_000;
/** How long everything that matters may take after SIGTERM. */
const DRAIN_MS = 12_000;
const SERVICE_TOKEN = randomUUID();
const CLIENTS = 100;
const JOBS_EACH = 20;
const PICTURES = 8;
const PICTURES_MS = 120_000;

const env = { COMPOSE_PROJECT_NAME: PROJECT, SERVICE_TOKEN };
let url;
const running = services().filter(({ profiles }) => !profiles);
const workers = running.filter(({ name }) => name.startsWith('worker-'));
const containerOf = ({ name }) => `${PROJECT}-${name}-1`;

/** A port of a container on its inner network, which only this machine reaches. */
async function inner(service, port) {
  const { NetworkSettings: { Networks } } = await inspect(containerOf(service));
  return `http://${Networks[`${PROJECT}_inside`].IPAddress}:${port}`;
}

async function until(check, what, ms) {
  const deadline = performance.now() + ms;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`waited ${ms} ms for ${what}`);
    await pause(100);
  }
}

async function isReady(address) {
  try {
    const answer = await fetch(`${address}/readyz`);
    const { components } = await answer.json();
    return answer.ok && components.pubsub === 'up' && components.redis === 'up';
  } catch {
    return false;
  }
}

before(async () => {
  env.PORT = String(await freePort());
  url = `http://127.0.0.1:${env.PORT}`;
  await compose(['up', '--detach', '--no-build'], env);
  await until(() => isReady(url), 'the gateway to be ready', START_DEADLINE_MS);
});
after(async () => {
  console.log(await compose(['logs', '--no-color', '--tail', '20'], env));
  await compose(['down', '--volumes'], env);
});

it('every service is ready, with Pub/Sub and Redis', async () => {
  for (const worker of workers) {
    const address = await inner(worker, 9000);
    await until(() => isReady(address), `${worker.name} to be ready`, START_DEADLINE_MS);
  }
});

for (const service of running) {
  it(`${service.name} runs without rights, and within limits`, async () => {
    const container = await inspect(containerOf(service));
    const status = await kernelStatus(container);
    assert.deepEqual(new Set(status.Uid.split('\t')), new Set(['65532']));
    assert.deepEqual(new Set([status.CapInh, status.CapPrm, status.CapEff, status.CapBnd, status.CapAmb]), new Set(['0'.repeat(16)]));
    // 2: what the engine's seccomp profile does not list is refused.
    assert.deepEqual([status.NoNewPrivs, status.Seccomp], ['1', '2']);
    const { ReadonlyRootfs, Memory, NanoCpus, PidsLimit } = container.HostConfig;
    assert.ok(ReadonlyRootfs && Memory > 0 && NanoCpus > 0 && PidsLimit > 0, JSON.stringify({ ReadonlyRootfs, Memory, NanoCpus, PidsLimit }));
  });
}

it('the gateway serves the page, and the client in the version of these tests', async () => {
  const served = async (path) => (await fetch(`${url}${path}`)).text();
  const dist = new URL('../../e2e/node_modules/socket.io-client/dist/', import.meta.url);
  assert.equal(await served('/socket.io/socket.io.js'), await readFile(new URL('socket.io.js', dist), 'utf8'));
  assert.match(await served('/'), /<script src="\/socket\.io\/socket\.io\.min\.js">/);
});

it('a stock client gets every kind of job done', async () => {
  const client = await Client.connect(url);
  const echo = await client.end(await client.submit('echo', { text: 'hello' }));
  assert.deepEqual([echo.type, echo.data], ['succeeded', { text: 'hello' }]);
  const previews = await client.end(await client.submit('thumbnail', { image: png(320, 200) }));
  assert.deepEqual([previews.type, previews.data.width], ['succeeded', 320]);
  client.close();
});

it('a webhook reaches its worker, which has no secret to sign it with', async () => {
  const client = await Client.connect(url);
  const id = randomUUID();
  const body = { id, kind: 'webhook', payload: { url: 'https://example.com/', body: {} }, audience: `session:${client.welcome.session.id}` };
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${SERVICE_TOKEN}` };
  const answer = await fetch(`${url}/v1/jobs`, { method: 'POST', headers, body: JSON.stringify(body) });
  assert.equal(answer.status, 202, await answer.text());
  const { type, error } = await client.end(id);
  assert.deepEqual([type, error.code], ['failed', 'not_configured']);
  client.close();
});

it('the client of a job that nobody understands hears so from the dead-letter worker', async () => {
  const client = await Client.connect(url);
  const id = randomUUID();
  const attributes = { id, audience: `session:${client.welcome.session.id}`, 'max-attempts': 'many' };
  const emulator = await inner({ name: 'emulator' }, 8085);
  const body = JSON.stringify({ messages: [{ data: Buffer.from('{}').toString('base64'), attributes }] });
  const answer = await fetch(`${emulator}/v1/projects/mayfly-dev/topics/mayfly-jobs-echo:publish`, { method: 'POST', body });
  assert.equal(answer.status, 200, await answer.text());
  const { type, error } = await client.end(id);
  assert.deepEqual([type, error.code], ['failed', 'dead_lettered']);
  client.close();
});

it('pictures as phones take them fit into the memory of their worker, several at a time', async () => {
  const client = await Client.connect(url);
  const image = png(4_000, 3_000);
  const ids = await Promise.all(Array.from({ length: PICTURES }, () => client.submit('thumbnail', { image })));
  for (const id of ids) assert.equal((await client.end(id, PICTURES_MS)).type, 'succeeded');
  client.close();
});

it(`${CLIENTS} clients get ${CLIENTS * JOBS_EACH} jobs done, and nothing has run out of memory`, async (test) => {
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => Client.connect(url, { transports: ['websocket'] })));
  await Promise.all(clients.map(async (client) => {
    for (let index = 0; index < JOBS_EACH; index++) {
      const end = await client.end(await client.submit('echo', { index }));
      assert.equal(end.type, 'succeeded');
    }
  }));
  for (const service of running) {
    const { RestartCount, State, HostConfig } = await inspect(containerOf(service));
    const used = await memoryOf(containerOf(service));
    test.diagnostic(`${service.name}: ${mebibytes(used)} of ${mebibytes(HostConfig.Memory)} MiB`);
    assert.deepEqual([service.name, RestartCount, State.OOMKilled], [service.name, 0, false]);
  }
  clients.forEach((client) => client.close());
});

it('a job that is running when its worker has to leave is finished', async (test) => {
  const client = await Client.connect(url);
  const id = await client.submit('echo', { text: 'late', echo: { sleepMs: 3_000 } });
  await client.until(() => client.events(id).some(({ type }) => type === 'started'), 'the job has started');
  await leaves({ name: 'worker-echo' }, test);
  assert.equal((await client.end(id)).type, 'succeeded');
  client.close();
});

it('the gateway leaves in time, though clients stay to the last', async (test) => {
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => Client.connect(url, { reconnection: false })));
  await leaves({ name: 'gateway' }, test);
  await Promise.all(clients.map((client) => client.until(() => client.last('drain'), 'word of the drain')));
});

// Pub/Sub leaves after those who hand back to it what they have.
for (const service of running.filter(({ name, build }) => build && !['worker-echo', 'gateway'].includes(name)).reverse()) {
  it(`${service.name} leaves in time`, (test) => leaves(service, test));
}

/** Sends SIGTERM, as a node does, and lets the engine kill what is there after the time that a pod has. */
async function leaves(service, test) {
  const began = Date.now();
  await docker('stop', '-t', '15', containerOf(service));
  const { State } = await inspect(containerOf(service));
  const took = Date.parse(State.FinishedAt) - began;
  test.diagnostic(`${service.name} was gone after ${(took / 1000).toFixed(1)} s`);
  assert.equal(State.ExitCode, 0);
  assert.ok(took < DRAIN_MS, `${took} ms`);
}

function mebibytes(bytes) {
  return Math.round(bytes / (1 << 20));
}
