// The process in which a crowd lives: does what its parent asks for, see crowd.js.

import { now, until } from './clock.js';
import { Ledger } from './ledger.js';
import { Member } from './member.js';

/** How many connect at a time. */
const AT_ONCE = 50;
const CONNECT_MS = 60_000;

const ledger = new Ledger();
const members = [];
const moves = [];
let steady = null;
let next = 0;

const connected = () => members.filter((member) => member.isConnected).length;

const requests = {
  async open({ url, clients, options }) {
    const until_ = members.length + clients;
    while (members.length < until_) {
      for (let count = Math.min(AT_ONCE, until_ - members.length); count > 0; count--) {
        members.push(new Member(members.length, { url, options, ledger, onMove: (move) => moves.push(move) }));
      }
      await until(() => connected() === members.length, () => `${members.length} clients to connect, ${connected()} are`, CONNECT_MS);
    }
  },

  /** Submits so many jobs, from one client after another. */
  submit({ count, payload, mayEnd }) {
    return Array.from({ length: count }, () => members[next++ % members.length].submit(payload, mayEnd));
  },

  /** One job for one client after another, which somebody else will publish. */
  adopt({ ids, mayEnd }) {
    return ids.map((id) => {
      const member = members[next++ % members.length];
      member.adopt(id, mayEnd);
      return { id, audience: member.audience };
    });
  },

  /** Has the client of each of these jobs cancel it. */
  cancel: ({ ids }) => Promise.all(ids.map((id) => members[ledger.get(id).client].cancel(id))),

  /** Has the client of each of these jobs do everything else that it can. */
  probe: ({ ids }) => Promise.all(ids.map((id) => members[ledger.get(id).client].probe(id))),

  ping: () => Promise.all(members.map((member) => member.ping())),

  /** Submits so many jobs a second, until told to rest. */
  steady({ perSecond, payload, mayEnd }) {
    requests.rest();
    let due = now();
    steady = setInterval(() => {
      for (; due <= now(); due += 1_000 / perSecond) requests.submit({ count: 1, payload, mayEnd });
    }, 10);
  },

  rest() {
    clearInterval(steady);
  },

  state() {
    const gateways = {};
    for (const { isConnected, gateway } of members) if (isConnected) gateways[gateway] = (gateways[gateway] ?? 0) + 1;
    return { connected: connected(), open: ledger.open, gateways, statuses: members.map(({ status }) => status), sessions: members.map(({ audience }) => audience), expiries: members.map(({ expiresAt }) => expiresAt) };
  },

  jobs: ({ ids } = {}) => (ids ? ids.map((id) => ledger.get(id)) : ledger.all()),
  moves: ({ since = 0 } = {}) => moves.filter(({ at }) => at >= since),
  close: () => members.forEach((member) => member.close()),
};

process.on('message', async ({ call, request, options }) => {
  try {
    process.send({ call, result: await requests[request](options) });
  } catch (error) {
    process.send({ call, error: error.message });
  }
});
process.on('disconnect', () => process.exit());
