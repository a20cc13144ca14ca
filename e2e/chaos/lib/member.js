// One client of the crowd: behaves like a page with a stock client. It gives its session back when it reconnects, offers
// again under the same id what nobody answered, and asks what became of the rest.

import { randomUUID } from 'node:crypto';
import { Client } from '../../lib/client.js';
import { now } from './clock.js';
import { ends } from './ledger.js';

export class Member {
  gateway = null;
  #number;
  #ledger;
  #client;
  #session;
  /** Jobs that have not ended, with their payloads and the last event that was heard. */
  #open = new Map();
  #isReady = false;

  /** `onMove` hears of every connect and disconnect: `{ client, at, type, gateway, reason }`. */
  constructor(number, { url, options, ledger, onMove }) {
    this.#number = number;
    this.#ledger = ledger;
    this.#client = new Client(url, { transports: ['websocket'], auth: (answer) => answer({ session: this.#session?.token }), ...options });
    const { socket } = this.#client;
    const move = (type, reason) => onMove({ client: number, at: now(), type, gateway: this.gateway, reason });
    socket.on('welcome', ({ session, hostname }) => {
      this.#session = session;
      this.gateway = hostname;
      this.#isReady = true;
      move('connect');
      this.#pickUp();
    });
    socket.on('disconnect', (reason) => {
      this.#isReady = false;
      move('disconnect', reason);
      // What the client has heard is in the ledger; keeping it twice would only cost memory.
      this.#client.heard.length = 0;
    });
    socket.on('job:event', (event) => this.#onEvent(event));
  }

  get isConnected() {
    return this.#isReady;
  }

  get status() {
    return this.#client.last('status') ?? this.#client.welcome?.status;
  }

  /** When the session ends, by the clock of the gateway that said so. */
  get expiresAt() {
    return Date.parse(this.#session?.expiresAt);
  }

  /** For services that publish to this client. */
  get audience() {
    return `session:${this.#session?.id}`;
  }

  /** Milliseconds to the gateway and back. */
  async ping() {
    const at = now();
    await this.#client.ask('ping', 1);
    return now() - at;
  }

  /** How long each request took that may have to do with Redis, in milliseconds by name; `id` is a job of this client's. */
  async probe(id) {
    const took = {};
    const channel = `public:probed-by-${this.#number}`;
    const requests = { 'job:get': { id }, 'job:resume': { jobs: [{ id, seq: 0 }] }, 'channel:join': { channel }, 'channel:publish': { channel, event: 'probe', data: 1 }, 'channel:leave': { channel }, ping: 1 };
    for (const [name, payload] of Object.entries(requests)) {
      const at = now();
      const answer = await this.#client.ask(name, payload);
      took[name] = now() - at;
      if (name !== 'ping' && !answer.ok) throw new Error(`${name} was answered ${JSON.stringify(answer)}`);
    }
    return took;
  }

  cancel(id) {
    return this.#client.ask('job:cancel', { id });
  }

  submit(payload, mayEnd) {
    const id = randomUUID();
    this.#ledger.submit(id, this.#number, now(), mayEnd);
    this.#open.set(id, { id, payload, seq: 0, isAnswered: false, isUnderWay: false });
    this.#offer(this.#open.get(id));
    return id;
  }

  /** Waits for a job that somebody else publishes for this client, as for one of its own that was accepted. */
  adopt(id, mayEnd) {
    this.#ledger.submit(id, this.#number, now(), mayEnd);
    this.#ledger.answer(id, { at: now(), ms: 0, outcome: 'accepted', gateway: this.gateway });
    this.#open.set(id, { id, seq: 0, isAnswered: true, isUnderWay: false });
  }

  close() {
    this.#client.close();
  }

  async #pickUp() {
    const jobs = [...this.#open.values()];
    jobs.filter((job) => !job.isAnswered).forEach((job) => this.#offer(job));
    const accepted = jobs.filter((job) => job.isAnswered).map(({ id, seq }) => ({ id, seq }));
    // If the connection goes again, the next one asks again.
    if (accepted.length) await this.#client.ask('job:resume', { jobs: accepted }).catch(() => {});
  }

  /** Until there is an answer, or no connection. */
  async #offer(job) {
    if (job.isUnderWay) return;
    job.isUnderWay = true;
    while (this.#isReady && !job.isAnswered) {
      const [at, gateway] = [now(), this.gateway];
      const answer = await this.#client.ask('job:submit', { id: job.id, kind: 'echo', payload: job.payload }).catch(() => null);
      const record = (outcome, more) => this.#ledger.answer(job.id, { at, ms: now() - at, outcome, gateway, ...more });
      if (!answer) {
        record(this.#isReady ? 'silent' : 'cut');
        continue;
      }
      job.isAnswered = true;
      if (answer.ok) record('accepted', { duplicate: answer.duplicate });
      else record('refused', { code: answer.error?.code, retryAfterMs: answer.error?.retryAfterMs });
      if (!answer.ok || ends(this.#ledger.get(job.id)).length) this.#open.delete(job.id);
    }
    job.isUnderWay = false;
  }

  #onEvent({ jobId, type, seq, attempt, at, error }) {
    this.#ledger.event(jobId, { client: this.#number, at: now(), type, seq, attempt, gateway: this.gateway, clockMs: Date.parse(at), code: error?.code });
    const job = this.#open.get(jobId);
    if (!job) return;
    job.seq = Math.max(job.seq, seq);
    if (job.isAnswered && ends(this.#ledger.get(jobId)).length) this.#open.delete(jobId);
  }
}
