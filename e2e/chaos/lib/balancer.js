// A load balancer: gives every new connection to the next backend that its health check finds well, and lets open ones be.

import { connect, createServer } from 'node:net';
import { once } from 'node:events';

/** As in the deployment: two failures in a row take a backend out, one success brings it back. */
const CHECK_EVERY_MS = 2_000;
const CHECK_TIMEOUT_MS = 1_000;
const UNHEALTHY_AFTER = 2;

export async function startBalancer() {
  const balancer = new Balancer();
  await once(balancer.server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }), 'listening');
  return balancer;
}

class Balancer {
  server = createServer({ pauseOnConnect: true, noDelay: true }, (client) => this.#accept(client));
  #backends = new Map();
  #next = 0;
  #open = new Set();

  get url() {
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  /** Sends clients there too, once its check succeeds. The same name again replaces the backend. */
  add(name, url) {
    this.remove(name);
    const backend = { name, url: new URL(url), isHealthy: false, failures: 0 };
    backend.timer = setInterval(() => check(backend), CHECK_EVERY_MS);
    this.#backends.set(name, backend);
    check(backend);
  }

  remove(name) {
    clearInterval(this.#backends.get(name)?.timer);
    this.#backends.delete(name);
  }

  /** The names of those that get new clients. */
  healthy() {
    return [...this.#backends.values()].filter(({ isHealthy }) => isHealthy).map(({ name }) => name);
  }

  /** Ends every connection, as when a load balancer is replaced. */
  drop() {
    this.#open.forEach((socket) => socket.destroy());
  }

  close() {
    [...this.#backends.keys()].forEach((name) => this.remove(name));
    this.server.close();
    this.drop();
  }

  #accept(client) {
    client.on('error', () => client.destroy());
    const healthy = [...this.#backends.values()].filter(({ isHealthy }) => isHealthy);
    const first = this.#next++;
    this.#forward(client, healthy.map((_, index) => healthy[(first + index) % healthy.length]));
  }

  /** Tries one after the other. */
  #forward(client, [backend, ...others]) {
    if (!backend) return client.destroy();
    const upstream = connect({ port: Number(backend.url.port), host: backend.url.hostname, noDelay: true });
    const tryOthers = () => this.#forward(client, others);
    upstream.once('error', tryOthers);
    upstream.once('connect', () => {
      upstream.off('error', tryOthers);
      for (const [from, to] of [[client, upstream], [upstream, client]]) {
        this.#open.add(from);
        from.pipe(to);
        from.on('error', () => to.destroy());
        from.on('close', () => {
          this.#open.delete(from);
          if (!from.readableEnded) to.destroy();
        });
      }
    });
  }
}

async function check(backend) {
  const isWell = await fetch(new URL('/lbz', backend.url), { signal: AbortSignal.timeout(CHECK_TIMEOUT_MS) }).then(({ ok }) => ok, () => false);
  backend.failures = isWell ? 0 : backend.failures + 1;
  if (isWell) backend.isHealthy = true;
  if (backend.failures >= UNHEALTHY_AFTER) backend.isHealthy = false;
}
