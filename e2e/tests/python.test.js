// The stock PyPI clients: python-socketio as a browser's stand-in, google-cloud-pubsub as another service's.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { Client } from '../lib/client.js';
import { startMayfly } from '../lib/mayfly.js';
import { python } from '../lib/python.js';

const TOPIC = 'projects/mayfly-dev/topics/mayfly-jobs-echo';

let mayfly;
before(async () => { mayfly = await startMayfly(); });
after(() => mayfly?.stop());

describe('a stock python-socketio client', () => {
  for (const transport of ['websocket', 'polling']) {
    it(`submits text and bytes over ${transport} and gets both back`, async () => {
      const { session, ...seen } = JSON.parse(await python('client.py', [mayfly.url, transport]));
      assert.match(session, /^[0-9a-f-]{36}$/);
      assert.deepEqual(seen, {
        hostname: hostname(),
        pong: { n: 1 },
        types: ['succeeded', 'succeeded', 'succeeded'],
        text_came_back: true,
        bytes_came_back: true,
        nested_bytes_came_back: true,
        refusal: 'unknown_kind',
      });
    });
  }
});

describe('a job published with Google\'s own Python client', () => {
  const publish = (body, ...attributes) => python('publish.py', [TOPIC, body, ...attributes], { PUBSUB_EMULATOR_HOST: mayfly.pubsub });
  const ends = (client) => client.heard.filter(([name, event]) => name === 'job:event' && event.type === 'succeeded').map(([, event]) => event);

  let clients;
  before(async () => { clients = await Promise.all([Client.connect(mayfly.url), Client.connect(mayfly.url)]); });
  after(() => clients?.forEach((client) => client.close()));

  it('reaches the one session it is for', async () => {
    const [wanted, other] = clients;
    const id = randomUUID();
    await publish('{"text":"from another service"}', `audience=session:${wanted.welcome.session.id}`, `id=${id}`);
    const end = await wanted.end(id);
    assert.deepEqual([end.type, end.data], ['succeeded', { text: 'from another service' }]);
    await other.end(await other.submit('echo', 'own'));
    assert.deepEqual(other.events(id), []);
  });

  it('reaches everybody when it is for all, and needs no attribute but its audience', async () => {
    await publish('{"text":"to everybody"}', 'audience=all');
    const isIt = ({ data }) => data?.text === 'to everybody';
    await Promise.all(clients.map((client) => client.until(() => ends(client).some(isIt), 'the result')));
    const [first, second] = clients.map((client) => ends(client).filter(isIt));
    assert.equal(first.length, 1);
    assert.deepEqual(first, second);
  });

  it('may carry any bytes', async () => {
    const [client] = clients;
    const id = randomUUID();
    await publish('plain text', `audience=session:${client.welcome.session.id}`, `id=${id}`, 'content-type=text/plain');
    const end = await client.end(id);
    assert.equal(end.type, 'succeeded');
    assert.ok(Buffer.isBuffer(end.data), `not binary: ${JSON.stringify(end.data)}`);
    assert.equal(end.data.toString(), 'plain text');
  });
});
