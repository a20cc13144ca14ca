// Many stock clients, in a process of their own so that they have a core to themselves, and the ledger of what they did.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { until } from './clock.js';
import { balance } from './ledger.js';

const PROGRAM = fileURLToPath(new URL('crowd-process.js', import.meta.url));

export class Crowd {
  #url;
  #process = fork(PROGRAM, { serialization: 'advanced' });
  #waiting = new Map();
  #calls = 0;

  constructor(url) {
    this.#url = url;
    this.#process.on('message', ({ call, result, error }) => {
      const { resolve, reject } = this.#waiting.get(call);
      this.#waiting.delete(call);
      if (error) reject(new Error(error));
      else resolve(result);
    });
    this.#process.once('exit', (code) => {
      this.#waiting.forEach(({ reject }) => reject(new Error(`the crowd's process ended with ${code}`)));
    });
  }

  /** So many clients more; resolves when all are connected. `options` are socket.io-client's. */
  open(clients, options = {}) {
    return this.#ask('open', { url: this.#url, clients, options });
  }

  /** So many jobs at once, from one client after another. Resolves to their ids; answers and events follow. They should succeed, or end as `mayEnd` says. */
  submit(count, payload, mayEnd) {
    return this.#ask('submit', { count, payload, mayEnd });
  }

  /** Has one client after another wait for a job that somebody else will publish: `{ id, audience }` of each. */
  adopt(ids, mayEnd) {
    return this.#ask('adopt', { ids, mayEnd });
  }

  /** Has the clients of these jobs cancel them; resolves to what they were answered. */
  cancel(ids) {
    return this.#ask('cancel', { ids });
  }

  /** Has the clients of these jobs ask for everything that may have to do with Redis; resolves to how long that took, see member.js. */
  probe(ids) {
    return this.#ask('probe', { ids });
  }

  /** How long a `ping` of each client took, in milliseconds. */
  ping() {
    return this.#ask('ping');
  }

  /** So many jobs a second, until `rest`. */
  steady(perSecond, payload, mayEnd) {
    return this.#ask('steady', { perSecond, payload, mayEnd });
  }

  rest() {
    return this.#ask('rest');
  }

  /** `{ connected, open, gateways: { name: clients }, statuses, sessions, expiries }`; `open` counts the jobs of which more is to be expected. */
  state() {
    return this.#ask('state');
  }

  /** The ledger's jobs, see ledger.js: all, or those with these ids. */
  jobs(ids) {
    return this.#ask('jobs', { ids });
  }

  /** Every connect and disconnect since then: `{ client, at, type, gateway, reason }`. */
  moves(since) {
    return this.#ask('moves', { since });
  }

  /** Waits until `check(jobs)` holds of the jobs with these ids. */
  until(ids, check, what, ms) {
    return until(async () => check(await this.jobs(ids)), what, ms);
  }

  /** Waits until every client has heard the end of every job. Whether all is well is the ledger's business: see `balance`. */
  async settle(ms) {
    await until(async () => (await this.state()).open === 0, '', ms).catch(() => {});
  }

  async balance(codes) {
    return balance(await this.jobs(), codes);
  }

  async close() {
    await this.#ask('close').catch(() => {});
    this.#process.disconnect();
  }

  #ask(request, options) {
    const call = ++this.#calls;
    return new Promise((resolve, reject) => {
      this.#waiting.set(call, { resolve, reject });
      this.#process.send({ call, request, options }, (error) => error && reject(error));
    });
  }
}
