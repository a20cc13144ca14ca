// Signed-in users with stock clients: tokens end, connections go on.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { Client } from '../lib/client.js';
import { startMayfly } from '../lib/mayfly.js';

const SECRET = 'the application signs its users\' tokens with this';

let mayfly;
before(async () => { mayfly = await startMayfly({ AUTH_JWT_SECRET: SECRET, AUTH_GRACE_S: '1', ANONYMOUS_CHANNELS: 'none' }); });
after(() => mayfly?.stop());

function tokenOf(sub, seconds, claims) {
  const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const body = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub, exp: Math.floor(Date.now() / 1000) + seconds, ...claims })}`;
  return `${body}.${createHmac('sha256', SECRET).update(body).digest('base64url')}`;
}

describe('a signed-in client', () => {
  it('stays connected by refreshing its token', async (t) => {
    const client = await Client.connect(mayfly.url, { auth: { token: tokenOf('ann', 2) } });
    t.after(() => client.close());
    let closed = 0;
    client.socket.on('disconnect', () => { closed += 1; });
    const { ok, expiresAt } = await client.ask('auth:refresh', { token: tokenOf('ann', 600) });
    assert.ok(ok && Date.parse(expiresAt) > Date.now() + 500_000);
    // A job that ends when the first token and its grace are long over.
    const end = await client.end(await client.submit('echo', { echo: { sleepMs: 5_000 } }));
    assert.equal(end.type, 'succeeded');
    assert.equal(closed, 0);
    assert.equal((await client.ask('auth:refresh', { token: tokenOf('bob', 600) })).error.code, 'forbidden');
    assert.equal((await client.ask('auth:refresh', { token: 'garbage' })).error.code, 'unauthorized');
  });

  it('that does not comes back by itself with a new one, as the same session', async (t) => {
    let session;
    const auth = (give) => give({ token: tokenOf('ann', session ? 600 : 1), session });
    const client = await Client.connect(mayfly.url, { auth });
    t.after(() => client.close());
    session = client.welcome.session.token;
    await client.until(() => client.heard.filter(([name]) => name === 'welcome').length === 2, 'a second welcome');
    const [first, second] = client.heard.filter(([name]) => name === 'welcome').map(([, welcome]) => welcome.session.id);
    assert.equal(first, second);
    assert.equal((await client.end(await client.submit('echo', 1))).type, 'succeeded');
  });

  it('enters the channels that its token names', async (t) => {
    const [ann, nobody] = [await Client.connect(mayfly.url, { auth: { token: tokenOf('ann', 600, { channels: ['team:7:*'] }) } }), await Client.connect(mayfly.url)];
    t.after(() => [ann, nobody].forEach((client) => client.close()));
    assert.ok((await ann.ask('channel:join', { channel: 'team:7:chat' })).ok);
    assert.equal((await ann.ask('channel:join', { channel: 'team:8:chat' })).error.code, 'forbidden');
    assert.equal((await nobody.ask('channel:join', { channel: 'team:7:chat' })).error.code, 'forbidden');
    assert.equal((await nobody.ask('channel:join', { channel: 'public:lobby' })).error.code, 'forbidden');
  });
});
