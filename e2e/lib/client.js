// A stock socket.io client that remembers what it heard, so that tests can wait for it.

import { randomUUID } from 'node:crypto';
import { io } from 'socket.io-client';

export const DEADLINE_MS = 20_000;
const TERMINAL = new Set(['succeeded', 'failed', 'cancelled']);

export class Client {
  /** Every event in the order of arrival, as [name, payload]. */
  heard = [];
  #waiting = new Set();
  #eventsOf = new Map();

  constructor(url, options) {
    // A manager of its own: clients of one process would otherwise share a connection.
    this.socket = io(url, { forceNew: true, ...options });
    this.socket.onAny((name, payload) => {
      this.heard.push([name, payload]);
      if (name === 'job:event') this.events(payload.jobId).push(payload);
      this.#waiting.forEach((check) => check());
    });
  }

  static async connect(url, options) {
    const client = new Client(url, options);
    await client.until(() => client.welcome, 'welcome');
    return client;
  }

  get welcome() {
    return this.last('welcome');
  }

  last(name) {
    return this.heard.findLast(([heard]) => heard === name)?.[1];
  }

  /** Asks the gateway; its ack, whatever it says. */
  ask(event, payload) {
    return this.socket.timeout(DEADLINE_MS).emitWithAck(event, payload);
  }

  /** Submits a job and returns its id; throws when it is not accepted. */
  async submit(kind, payload, options) {
    const id = randomUUID();
    const answer = await this.ask('job:submit', { id, kind, payload, options });
    if (!answer.ok) throw new Error(`not accepted: ${JSON.stringify(answer.error)}`);
    return id;
  }

  /** The job's events in the order of arrival; grows as they come. */
  events(id) {
    if (!this.#eventsOf.has(id)) this.#eventsOf.set(id, []);
    return this.#eventsOf.get(id);
  }

  ends(id) {
    return this.events(id).filter(({ type }) => TERMINAL.has(type));
  }

  /** Waits for the event that ends the job, and returns it. */
  async end(id, ms) {
    await this.until(() => this.ends(id).length > 0, `the end of job ${id}`, ms);
    return this.ends(id)[0];
  }

  /** Resolves as soon as `check` holds after an event. */
  until(check, what, ms = DEADLINE_MS) {
    if (check()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const attempt = () => {
        if (!check()) return;
        clearTimeout(timer);
        this.#waiting.delete(attempt);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(attempt);
        const names = this.heard.slice(-20).map(([name, event]) => (name === 'job:event' ? `${name} ${event.type}` : name));
        reject(new Error(`waited ${ms} ms for ${what}; heard ${names.join(', ') || 'nothing'}`));
      }, ms);
      this.#waiting.add(attempt);
    });
  }

  close() {
    this.socket.disconnect();
  }
}
