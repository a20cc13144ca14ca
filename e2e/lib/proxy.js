// A TCP proxy that can be cut, reset, frozen and slowed down: an outage of whatever is behind it, without touching that.

import { connect, createServer } from 'node:net';
import { once } from 'node:events';

/** How much may be under way in one direction while it is slowed down, in bytes. */
const MOST_UNDER_WAY = 1 << 20;
/** How long a server has to take a client's last words before the connection ends for it as well. */
const LAST_WORDS_MS = 1_000;

/** `target` is `host:port`. `interpret()` makes, per connection, something that rewrites what clients say: `{ push(bytes), end() }`. */
export async function startProxy(target, interpret) {
  const proxy = new Proxy(target, interpret);
  await once(proxy.server.listen(0, '127.0.0.1'), 'listening');
  return proxy;
}

class Proxy {
  /** Where new connections lead; may be changed. */
  target;
  server = createServer((client) => this.#accept(client));
  #pipes = new Set();
  #isCut = false;
  #isFrozen = false;
  #delayMs = 0;
  #interpret;

  constructor(target, interpret) {
    this.target = target;
    this.#interpret = interpret;
  }

  get address() {
    return `127.0.0.1:${this.server.address().port}`;
  }

  /** Ends what is open and takes nothing new. */
  cut() {
    this.#isCut = true;
    this.#break((socket) => socket.destroy());
  }

  /** Resets what is open; new connections are welcome. */
  reset() {
    this.#break((socket) => socket.resetAndDestroy());
  }

  /** Lets nothing through, in either direction, and leaves everything open: what a hanging peer or a lost route looks like. */
  freeze() {
    this.#isFrozen = true;
    this.#pipes.forEach((pipe) => pipe.pump());
  }

  /** Delays everything by so much in each direction. */
  slow(ms) {
    this.#delayMs = ms;
  }

  heal() {
    this.#isCut = false;
    this.#isFrozen = false;
    this.#delayMs = 0;
    this.#pipes.forEach((pipe) => pipe.pump());
  }

  close() {
    this.server.close();
    this.cut();
  }

  get isFrozen() {
    return this.#isFrozen;
  }

  get delayMs() {
    return this.#delayMs;
  }

  #break(end) {
    this.#pipes.forEach((pipe) => pipe.isFromInterpreted || end(pipe.from));
  }

  #accept(client) {
    if (this.#isCut) return client.destroy();
    const [host, port] = this.target.split(':');
    const upstream = connect(Number(port), host);
    const isInterpreted = this.#interpret !== undefined;
    for (const [from, to, interpreter] of [[client, upstream, this.#interpret?.()], [upstream, client]]) {
      from.setNoDelay(true);
      const pipe = new Pipe(this, from, to, interpreter);
      // Such a server is told politely, and so only when the client has gone.
      pipe.isFromInterpreted = isInterpreted && from === upstream;
      this.#pipes.add(pipe);
      // What follows is said on close.
      from.on('error', () => {});
      from.on('close', () => {
        this.#pipes.delete(pipe);
        // Whoever ended politely has the last words still under way. A process that is killed may also reset its connections.
        if (pipe.isEnded) return;
        if (!interpreter) return to.destroy();
        to.end(interpreter.end());
        setTimeout(() => to.destroy(), LAST_WORDS_MS).unref();
      });
    }
  }
}

/** One direction of a connection. */
class Pipe {
  #proxy;
  #to;
  #underWay = [];
  #bytes = 0;
  #timer = null;
  isEnded = false;
  /** It comes from a server to which clients' words are rewritten. */
  isFromInterpreted = false;

  constructor(proxy, from, to, interpreter) {
    this.#proxy = proxy;
    this.from = from;
    this.#to = to;
    const send = (chunk) => {
      this.#underWay.push({ chunk, at: performance.now() + proxy.delayMs });
      this.#bytes += chunk.length;
    };
    from.on('data', (chunk) => {
      send(interpreter?.push(chunk) ?? chunk);
      this.pump();
    });
    from.on('end', () => {
      if (interpreter) send(interpreter.end());
      this.isEnded = true;
      this.pump();
    });
    to.on('drain', () => this.pump());
  }

  /** Sends what is due, and reads on as long as there is room for it. */
  pump() {
    clearTimeout(this.#timer);
    while (!this.#proxy.isFrozen && !this.#to.writableNeedDrain && this.#underWay[0]?.at <= performance.now()) {
      const { chunk } = this.#underWay.shift();
      this.#bytes -= chunk.length;
      this.#to.write(chunk);
    }
    const [next] = this.#underWay;
    if (!this.#proxy.isFrozen && next && !this.#to.writableNeedDrain) {
      this.#timer = setTimeout(() => this.pump(), Math.max(1, next.at - performance.now()));
    }
    if (this.isEnded && !next && !this.#proxy.isFrozen) this.#to.end();
    if (this.#proxy.isFrozen || this.#to.writableNeedDrain || this.#bytes > MOST_UNDER_WAY) this.from.pause();
    else this.from.resume();
  }
}
