// The stock npm client over every transport it has.

import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { Client } from '../lib/client.js';
import { startMayfly } from '../lib/mayfly.js';

let mayfly;
before(async () => { mayfly = await startMayfly(); });
after(() => mayfly?.stop());

/** Runs `story` with a connected client and closes it afterwards. */
async function withClient(options, story) {
  const client = await Client.connect(mayfly.url, options);
  try {
    return await story(client);
  } finally {
    client.close();
  }
}

const TRANSPORTS = {
  'websocket': { transports: ['websocket'] },
  'polling': { transports: ['polling'] },
  'polling upgraded to websocket': {},
};

for (const [name, options] of Object.entries(TRANSPORTS)) {
  describe(`a stock client over ${name}`, () => {
    it('hears the hostname first and the welcome second', () => withClient(options, (client) => {
      assert.deepEqual(client.heard.slice(0, 2).map(([event]) => event), ['hostname', 'welcome']);
      const { welcome } = client;
      assert.equal(client.last('hostname'), hostname());
      assert.equal(welcome.hostname, hostname());
      assert.match(welcome.session.id, /^[0-9a-f-]{36}$/);
      assert.ok(welcome.session.token.length > 20);
      assert.ok(Date.parse(welcome.session.expiresAt) > Date.now());
      assert.ok(welcome.kinds.includes('echo') && welcome.kinds.includes('thumbnail'));
      assert.ok(welcome.limits.maxPayloadBytes >= 1_000_000);
      assert.deepEqual([welcome.status.redis, welcome.status.pubsub], ['off', 'up']);
    }));

    it('gets a ping back unchanged', () => withClient(options, async (client) => {
      for (const probe of [{ at: 17, nested: ['é', null, 1.5] }, 'text', 0, null]) {
        assert.deepEqual(await client.ask('ping', probe), probe);
      }
      assert.deepEqual(await client.ask('ping', Buffer.from([0, 255, 7])), Buffer.from([0, 255, 7]));
    }));

    it('submits an echo and gets its own words back', () => withClient(options, async (client) => {
      const payload = { text: 'hello', deep: { list: [1, 2.5, true, null, 'ünï'] } };
      const id = await client.submit('echo', payload);
      const end = await client.end(id);
      assert.equal(end.type, 'succeeded');
      assert.equal(end.kind, 'echo');
      assert.equal(end.attempt, 1);
      assert.ok(Math.abs(Date.parse(end.at) - Date.now()) < 60_000);
      assert.deepEqual(end.data, payload);
      assertOrdered(client.events(id));
    }));

    it('gets bytes back byte for byte, alone and within a structure', () => withClient(options, async (client) => {
      const bytes = randomBytes(300_000);
      const alone = await client.end(await client.submit('echo', bytes));
      assert.equal(alone.type, 'succeeded');
      assert.ok(Buffer.isBuffer(alone.data) && alone.data.equals(bytes), 'the bytes differ');

      const end = await client.end(await client.submit('echo', { name: 'part', first: bytes, rest: [Buffer.from('x'), Buffer.alloc(0)] }));
      assert.equal(end.type, 'succeeded');
      assert.equal(end.data.name, 'part');
      assert.ok(end.data.first.equals(bytes), 'the bytes within differ');
      assert.deepEqual(end.data.rest, [Buffer.from('x'), Buffer.alloc(0)]);
    }));
  });
}

describe('the transports', () => {
  it('upgrade from polling to websocket by themselves', () => withClient({}, async (client) => {
    const { engine } = client.socket.io;
    if (engine.transport.name !== 'websocket') await new Promise((resolve) => engine.once('upgrade', resolve));
    assert.equal(engine.transport.name, 'websocket');
    assert.equal(await client.ask('ping', 1), 1);
  }));
});

describe('a submit', () => {
  it('of an unknown kind is refused by name', () => withClient({}, async (client) => {
    const answer = await client.ask('job:submit', { kind: 'no-such-kind', payload: {} });
    assert.equal(answer.ok, false);
    assert.equal(answer.error.code, 'unknown_kind');
    assert.ok(answer.error.message.length > 0);
  }));

  it('that makes no sense is refused, and the socket lives on', () => withClient({}, async (client) => {
    for (const nonsense of [null, 7, {}, { kind: 'echo', id: 'not-a-uuid', payload: 1 }, { kind: ['echo'], payload: 1 }]) {
      const answer = await client.ask('job:submit', nonsense);
      assert.equal(answer.ok, false, JSON.stringify(nonsense));
      assert.equal(answer.error.code, 'invalid_request', JSON.stringify(nonsense));
    }
    assert.equal(await client.ask('ping', 'still here'), 'still here');
  }));

  it('without an id gets one', () => withClient({}, async (client) => {
    const { ok, id } = await client.ask('job:submit', { kind: 'echo', payload: 'anonymous' });
    assert.ok(ok);
    assert.equal((await client.end(id)).data, 'anonymous');
  }));

  it('with the same id is the same job, however often it is repeated', () => withClient({}, async (client) => {
    const submit = { id: randomUUID(), kind: 'echo', payload: { once: true } };
    const answers = [await client.ask('job:submit', submit), await client.ask('job:submit', submit)];
    const end = await client.end(submit.id);
    answers.push(await client.ask('job:submit', submit));
    assert.deepEqual(answers.map(({ ok, id }) => ({ ok, id })), Array(3).fill({ ok: true, id: submit.id }));
    assert.ok(!answers[0].duplicate && answers[1].duplicate && answers[2].duplicate);
    // Whoever asks again is told the end if it can have missed it, and only then.
    await withClient({ auth: { session: client.welcome.session.token } }, async (returned) => {
      assert.ok((await returned.ask('job:submit', submit)).duplicate);
      assert.deepEqual(await returned.end(submit.id), end);
    });
    await client.end(await client.submit('echo', 'later'));
    assert.deepEqual(client.ends(submit.id), [end]);
  }));

  it('larger than the limit is refused by name, and the socket lives on', () => withClient({}, async (client) => {
    const answer = await client.ask('job:submit', { kind: 'echo', payload: Buffer.alloc(client.welcome.limits.maxPayloadBytes + 1) });
    assert.equal(answer.error?.code, 'payload_too_large');
    assert.equal(await client.ask('ping', 'still here'), 'still here');
  }));

  it('just within the limit comes back whole', () => withClient({ transports: ['websocket'] }, async (client) => {
    const bytes = randomBytes(client.welcome.limits.maxPayloadBytes - 1_000);
    const end = await client.end(await client.submit('echo', bytes));
    assert.equal(end.type, 'succeeded');
    assert.ok(end.data.equals(bytes));
  }));
});

describe('a job', () => {
  it('reports its progress in order', () => withClient({}, async (client) => {
    const id = await client.submit('echo', { echo: { sleepMs: 2_500, steps: 5 } });
    const end = await client.end(id);
    assert.equal(end.type, 'succeeded');
    const steps = client.events(id).filter(({ type }) => type === 'progress').map(({ data }) => data.progress);
    // Without Redis at most one progress report a second passes.
    assert.ok(steps.length >= 1, 'no progress was reported');
    assert.deepEqual(steps, [...steps].sort((a, b) => a - b));
    assert.ok(steps.every((step) => step > 0 && step <= 1));
    assertOrdered(client.events(id));
  }));

  it('that fails twice is tried three times', () => withClient({}, async (client) => {
    const id = await client.submit('echo', { echo: { failTimes: 2 } });
    const end = await client.end(id, 60_000);
    assert.equal(end.type, 'succeeded');
    assert.equal(end.attempt, 3);
    assertOrdered(client.events(id));
  }));

  it('that fails for good says why', () => withClient({}, async (client) => {
    const end = await client.end(await client.submit('echo', { echo: { failCode: 'out_of_luck' } }));
    assert.equal(end.type, 'failed');
    assert.equal(end.error.code, 'out_of_luck');
    assert.ok(end.error.message.length > 0);
  }));

  it('that panics fails alone: the worker goes on', () => withClient({}, async (client) => {
    const end = await client.end(await client.submit('echo', { echo: { panic: 'as requested' } }, { maxAttempts: 1 }));
    assert.equal(end.type, 'failed');
    assert.equal((await client.end(await client.submit('echo', 'next'))).type, 'succeeded');
  }));

  it('that takes too long is ended', () => withClient({}, async (client) => {
    const end = await client.end(await client.submit('echo', { echo: { sleepMs: 60_000 } }, { timeoutMs: 200, maxAttempts: 1 }));
    assert.equal(end.type, 'failed');
  }));

  it('can be asked for at any time', () => withClient({}, async (client) => {
    const payload = { text: 'remember me', bytes: Buffer.from([1, 2, 3]) };
    const id = await client.submit('echo', payload);
    const end = await client.end(id);
    const { ok, job } = await client.ask('job:get', { id });
    assert.ok(ok);
    assert.deepEqual(
      { id: job.id, kind: job.kind, state: job.state, seq: job.seq, attempt: job.attempt, data: job.data },
      { id, kind: 'echo', state: 'succeeded', seq: end.seq, attempt: 1, data: payload },
    );
    const unknown = await client.ask('job:get', { id: randomUUID() });
    assert.equal(unknown.error.code, 'not_found');
  }));

  it('stops when it is cancelled', () => withClient({}, async (client) => {
    const id = await client.submit('echo', { echo: { sleepMs: 60_000, steps: 60 } });
    await client.until(() => client.events(id).length > 0, 'its start');
    assert.equal((await client.ask('job:cancel', { id })).ok, true);
    assert.equal((await client.end(id, 5_000)).type, 'cancelled');
    assert.equal((await client.ask('job:get', { id })).job.state, 'cancelled');
  }));

  it('is nobody else\'s: neither seen, nor read, nor cancelled', () => withClient({}, (owner) => withClient({}, async (other) => {
    const id = await owner.submit('echo', { secret: 1, echo: { sleepMs: 1_000 } });
    assert.equal((await other.ask('job:get', { id })).error.code, 'not_found');
    await other.ask('job:cancel', { id });
    assert.equal((await owner.end(id)).type, 'succeeded');
    assert.deepEqual((await other.ask('job:resume', { jobs: [{ id, seq: 0 }] })).jobs[0].state ?? null, null);
    await other.end(await other.submit('echo', 'own'));
    assert.deepEqual(other.events(id), []);
  })));
});

describe('a channel', () => {
  const channel = 'public:room';
  const said = (client) => client.heard.filter(([name]) => name === 'channel:event').map(([, event]) => event);

  for (const [name, options] of Object.entries(TRANSPORTS)) {
    it(`carries what is said to its members over ${name}`, () => withClient(options, (ann) => withClient(options, async (bob) => {
      for (const client of [ann, bob]) assert.deepEqual(await client.ask('channel:join', { channel }), { ok: true });
      const data = { text: 'hi', bytes: Buffer.from([0, 255, 7]) };
      const { ok, id } = await ann.ask('channel:publish', { channel, event: 'greeting', data });
      assert.ok(ok);
      for (const client of [ann, bob]) {
        await client.until(() => said(client).length > 0, 'the greeting');
        assert.deepEqual(said(client), [{ channel, event: 'greeting', data, id }]);
      }
      assert.deepEqual(await bob.ask('channel:leave', { channel }), { ok: true });
      await ann.ask('channel:publish', { channel, data: 'after bob left' });
      await bob.ask('ping', 'and nothing came');
      assert.equal(said(bob).length, 1);
    })));
  }

  it('is left with the connection and joined again by the client', () => withClient({}, async (client) => {
    // This is all that it takes: `connect` comes again with every connection.
    client.socket.on('connect', () => client.socket.emit('channel:join', { channel }));
    await client.ask('channel:join', { channel });
    client.socket.io.engine.close();
    await client.until(() => client.heard.filter(([name]) => name === 'welcome').length === 2, 'a second welcome');
    await client.ask('channel:publish', { channel, data: 'still a member' });
    await client.until(() => said(client).length === 1, 'its own words');
  }));

  it('is closed to those who may not enter', () => withClient({}, async (client) => {
    assert.equal((await client.ask('channel:join', { channel: 'staff' })).error.code, 'forbidden');
    assert.equal((await client.ask('channel:publish', { channel: 'staff' })).error.code, 'forbidden');
    assert.equal((await client.ask('channel:join', { channel: '' })).error.code, 'invalid_request');
  }));
});

describe('a client that comes back', () => {
  it('is the same session and gets what it missed', () => withClient({}, async (witness) => {
    const auth = { session: witness.welcome.session.token };
    const id = await withClient({ auth }, async (leaver) => {
      assert.equal(leaver.welcome.session.id, witness.welcome.session.id);
      return leaver.submit('echo', { missed: Buffer.from('while away'), echo: { sleepMs: 300 } });
    });
    const end = await witness.end(id);
    await withClient({ auth }, async (returned) => {
      const { ok, jobs } = await returned.ask('job:resume', { jobs: [{ id, seq: 0 }] });
      assert.ok(ok);
      assert.deepEqual(jobs, [{ id, state: 'succeeded', recovered: true }]);
      assert.deepEqual(await returned.end(id), end);
    });
  }));

  it('after its connection broke is itself again without doing anything', () => withClient({}, async (client) => {
    const session = client.welcome.session;
    client.socket.auth = { session: session.token };
    const id = await client.submit('echo', { echo: { sleepMs: 3_000 } });
    const welcomes = () => client.heard.filter(([name]) => name === 'welcome').length;
    client.socket.io.engine.close();
    await client.until(() => welcomes() === 2, 'a second welcome');
    assert.equal(client.welcome.session.id, session.id);
    const [{ recovered }] = (await client.ask('job:resume', { jobs: [{ id, seq: client.events(id).at(-1)?.seq ?? 0 }] })).jobs;
    assert.ok(recovered);
    assert.equal((await client.end(id)).type, 'succeeded');
    assert.equal(client.ends(id).length, 1);
    assertOrdered(client.events(id));
  }));

  it('and knows everything already is told nothing twice', () => withClient({}, async (client) => {
    const id = await client.submit('echo', 'once');
    const { seq } = await client.end(id);
    const { jobs } = await client.ask('job:resume', { jobs: [{ id, seq }] });
    assert.deepEqual(jobs, [{ id, state: 'succeeded', recovered: true }]);
    await client.end(await client.submit('echo', 'later'));
    assert.equal(client.ends(id).length, 1);
  }));
});

describe('a client that says a thousand things at once', () => {
  it('is answered every one of them, and stays', () => withClient({ transports: ['websocket'] }, async (client) => {
    const pings = Array.from({ length: 1000 }, (_, number) => client.ask('ping', number));
    const submits = Array.from({ length: 1000 }, (_, number) => client.ask('job:submit', { kind: 'echo', payload: number }));
    assert.deepEqual(await Promise.all(pings), Array.from({ length: 1000 }, (_, number) => number));
    const answers = await Promise.all(submits);
    const refusals = new Set(answers.filter(({ ok }) => !ok).map(({ error }) => error.code));
    assert.ok(answers.some(({ ok }) => ok));
    assert.deepEqual([...refusals].filter((code) => code !== 'rate_limited' && code !== 'too_many_jobs'), []);
    assert.ok(client.socket.connected);
  }));
});

describe('twenty clients at once', () => {
  it('get their own results and nobody else\'s', async () => {
    const clients = await Promise.all(Array.from({ length: 20 }, () => Client.connect(mayfly.url)));
    try {
      await Promise.all(clients.map(async (client, number) => {
        const ids = await Promise.all(Array.from({ length: 5 }, (_, job) => client.submit('echo', { number, job })));
        const ends = await Promise.all(ids.map((id) => client.end(id)));
        assert.deepEqual(ends.map(({ data }) => data), ids.map((_, job) => ({ number, job })));
        const mine = new Set(ids);
        const strangers = client.heard.filter(([name, event]) => name === 'job:event' && !mine.has(event.jobId));
        assert.deepEqual(strangers, []);
      }));
    } finally {
      clients.forEach((client) => client.close());
    }
  });
});

function assertOrdered(events) {
  const seqs = events.map(({ seq }) => seq);
  assert.deepEqual(seqs, [...new Set(seqs)].sort((a, b) => a - b), 'seq must grow with every event');
}
