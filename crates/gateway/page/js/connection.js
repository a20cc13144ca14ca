// The one socket of this page, and what is known about the gateway at its other end.

import { forgetSession, loadSession, saveSession } from './session.js';

/** How long the gateway may take to answer. A submit may safely be repeated after that: its id makes it the same job. */
const ANSWER_DEADLINE_MS = 10_000;

export class RequestError extends Error {
  constructor({ code, message = '', retryAfterMs = null }) {
    super(message || code);
    Object.assign(this, { code, retryAfterMs, wire: { code, message, retryAfterMs } });
  }
}

/**
 * Events: `change` (anything that the status shows), `ready` (session known, requests may be made),
 * `job` (detail: a `job:event`).
 */
export class Connection extends EventTarget {
  /** connecting | connected | reconnecting | draining | refused */
  state = 'connecting';
  hostname = null;
  welcome = null;
  status = null;
  problem = null;
  #socket;

  constructor(io) {
    super();
    // Websocket first: unlike polling it needs no sticky load balancer. Polling is still there for networks that block it.
    // No `retries` option: it sends one event at a time, so an upload would hold up every echo behind it.
    // The job store repeats submits itself, also after a reload.
    this.#socket = io({
      autoConnect: false,
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
      auth: (answer) => answer({ session: loadSession()?.token }),
    });
    this.#listen();
  }

  open() {
    this.#socket.connect();
  }

  get transport() {
    return this.#socket.io.engine?.transport?.name;
  }

  /** Sends an event and returns its ack; throws a RequestError when the ack says no or never comes. */
  async request(event, payload) {
    if (!this.#socket.connected || !this.welcome) throw new RequestError({ code: 'offline' });
    let answer;
    try {
      answer = await this.#socket.timeout(ANSWER_DEADLINE_MS).emitWithAck(event, payload);
    } catch {
      throw new RequestError({ code: this.#socket.connected ? 'timeout' : 'offline' });
    }
    if (!answer?.ok) throw new RequestError(answer?.error ?? { code: 'internal' });
    return answer;
  }

  /** Leaves the session behind and comes back as somebody new. */
  startOver() {
    forgetSession();
    this.welcome = null;
    this.#socket.disconnect().connect();
    this.#become('connecting');
  }

  #listen() {
    const socket = this.#socket;
    socket.on('hostname', (hostname) => {
      this.hostname = hostname;
      this.#become('connected');
    });
    socket.on('welcome', (welcome) => {
      this.welcome = welcome;
      this.status = welcome.status;
      saveSession(welcome.session);
      this.#become('connected');
      this.dispatchEvent(new Event('ready'));
    });
    socket.on('status', (status) => {
      this.status = { ...this.status, ...status };
      this.#become(this.state);
    });
    socket.on('drain', () => this.#become('draining'));
    socket.on('job:event', (event) => this.dispatchEvent(new CustomEvent('job', { detail: event })));
    socket.on('disconnect', (why) => {
      if (why === 'io client disconnect') return;
      this.welcome = null;
      this.#become('reconnecting');
      // The only close after which the client would stay away.
      if (why === 'io server disconnect') socket.connect();
    });
    socket.on('connect_error', (error) => this.#onConnectError(error));
  }

  #onConnectError(error) {
    // `active` turns false when the server itself refused the handshake, and stays true while the network is the trouble.
    if (this.#socket.active) {
      this.#become(this.hostname ? 'reconnecting' : 'connecting');
    } else if (loadSession()) {
      // The gateway turned us away: most likely a session that it no longer accepts. Come back without one.
      this.startOver();
    } else {
      this.#become('refused', { code: error.data?.code, message: error.data?.message ?? error.message });
    }
  }

  #become(state, problem = null) {
    this.state = state;
    this.problem = problem;
    this.dispatchEvent(new Event('change'));
  }
}
