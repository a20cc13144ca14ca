// Mayfly as it is deployed: gateways behind a load balancer, workers, Redis and Pub/Sub, each a process with a name, and
// between each process and what it depends on a proxy, so that any link can be broken alone.

import { randomBytes } from 'node:crypto';
import { startProxy } from '../../lib/proxy.js';
import { startRedis } from '../../lib/redis.js';
import { startService } from '../../lib/service.js';
import { startBalancer } from './balancer.js';
import { now, pause, seconds, until } from './clock.js';
import { interpret, SERVER, startPubsub, tidyUp } from './pubsub.js';

const READY = { gateway: /serving on (http:\/\/\S+)/, 'worker-echo': /(taking jobs)/, 'worker-dead-letter': /(taking dead letters)/ };
/** How soon a process that ended by itself is started again. */
const RESTART_MS = 500;
const HEALTHY_MS = seconds(20);
/** How long a process may take to leave before we stop waiting; what it may take is for the stories to say. */
const LEAVE_MS = seconds(30);
/** As it is deployed. */
const LINGER_MS = '8000';
/** Leads nowhere. */
const NOWHERE = '127.0.0.1:1';

export class Cluster {
  prefix = `chaos-${randomBytes(4).toString('hex')}-`;
  balancer;
  pubsub = null;
  redis = null;
  /** What every process that was ever started has said, by name. */
  logs = new Map();
  #services = new Map();
  #kept = new Set();
  #password = '';
  #links = new Map();

  /**
   * `gateways`, `workers` and `deadLetters` are numbers: they are called `gateway-1`, `worker-1`, `dead-letter-1` and so on.
   * Without `redis` or `pubsub` there is none at first, though the processes look for it. `isOwn` asks for a Pub/Sub that
   * can be ended. `password` is what the processes say to Redis. `env(name)` is more of a process's environment.
   */
  static async start({ gateways = 2, workers = 2, deadLetters = 0, redis = true, pubsub = true, isOwn = false, password = '', env = () => ({}) } = {}) {
    const cluster = new Cluster();
    cluster.#password = password;
    try {
      cluster.balancer = await startBalancer();
      await Promise.all([pubsub && cluster.startPubsub({ isOwn }), redis && cluster.startRedis()]);
      const names = (kind, count) => Array.from({ length: count }, (_, index) => `${kind}-${index + 1}`);
      const all = [...names('gateway', gateways), ...names('worker', workers), ...names('dead-letter', deadLetters)];
      await Promise.all(all.map((name) => cluster.start(name, env(name))));
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  get url() {
    return this.balancer.url;
  }

  /** Starts Pub/Sub, perhaps again: all links lead to the new one. */
  async startPubsub(options) {
    this.pubsub = await startPubsub(options);
    this.#aim('pubsub', this.pubsub.address);
  }

  /** Starts Redis, perhaps again and then empty: all links lead to the new one. It may want a password other than what it is told. */
  async startRedis(password = this.#password) {
    this.redis = await startRedis(password);
    this.#aim('redis', this.redis.address);
  }

  /** Starts a gateway or a worker, perhaps again, and waits until it is ready for what it is for. */
  async start(name, env = {}) {
    const kind = name.startsWith('gateway') ? 'gateway' : name.startsWith('dead-letter') ? 'worker-dead-letter' : 'worker-echo';
    const [pubsub, redis] = await Promise.all([this.link(name, 'pubsub'), this.link(name, 'redis')]);
    const settings = {
      HOSTNAME: name, PORT: '0', LINGER_MS, HEALTH_PORT: '0', SESSION_SECRET: 'shared by all gateways', TOPIC_PREFIX: this.prefix, KINDS: 'echo',
      PUBSUB_EMULATOR_HOST: pubsub.address, REDIS_URL: `redis://${this.#password && `:${this.#password}@`}${redis.address}`, ...env,
    };
    // A worker without Pub/Sub is never ready, but it runs.
    const isReady = this.pubsub || kind === 'gateway' ? READY[kind] : /(.)/;
    const service = await startService(kind, settings, isReady);
    this.#services.set(name, service);
    this.logs.set(name, [...(this.logs.get(name) ?? []), service.log]);
    if (kind === 'gateway') {
      this.balancer.add(name, service.found);
      await until(() => this.balancer.healthy().includes(name), `${name} to be healthy`, HEALTHY_MS);
    }
    return service;
  }

  /** Starts a process again whenever it ends by itself, as Kubernetes does. Returns the list of such ends, which grows. */
  keepAlive(name, env = {}) {
    const deaths = [];
    this.#kept.add(name);
    const watch = async (service) => {
      const end = await service.ended;
      if (this.#services.get(name) !== service) return;
      deaths.push({ at: now(), end });
      await pause(RESTART_MS);
      // It may have been ended, and everything with it, in the meantime.
      if (this.#services.get(name) === service) watch(await this.start(name, env));
    };
    watch(this.#services.get(name));
    return deaths;
  }

  /** Process ids by name, of the processes that have not ended. */
  pids() {
    return Object.fromEntries([...this.#services].filter(([, { isRunning }]) => isRunning()).map(([name, { pid }]) => [name, pid]));
  }

  /** What ended though nobody had asked it to, and what has panicked, in words. */
  accidents() {
    const ended = [...this.#services].filter(([name, { isRunning }]) => !isRunning() && !this.#kept.has(name)).map(([name]) => `${name} has ended`);
    const panicked = [...this.logs].filter(([, lives]) => lives.flat().some((line) => line.includes('panicked at'))).map(([name]) => `${name} has panicked`);
    return [...ended, ...panicked];
  }

  /** The process of that name: `{ found, log, pid, ended, signal }`; of a gateway, `found` is its URL. */
  process(name) {
    return this.#services.get(name);
  }

  /** The names of the processes that run. */
  names() {
    return [...this.#services.keys()];
  }

  /** The proxy between a process and its `pubsub` or `redis`; made when it is first asked for. */
  async link(name, to) {
    const key = `${name} ${to}`;
    if (!this.#links.has(key)) this.#links.set(key, await startProxy(this[to]?.address ?? NOWHERE, to === 'pubsub' ? interpret : undefined));
    return this.#links.get(key);
  }

  /** All proxies in front of `pubsub` or `redis`. */
  links(to) {
    return [...this.#links].filter(([key]) => key.endsWith(` ${to}`)).map(([, link]) => link);
  }

  /** Ends a process without a word. */
  async kill(name) {
    const service = this.#services.get(name);
    this.#services.delete(name);
    service.signal('SIGKILL');
    await service.ended;
  }

  /** Sends SIGTERM and resolves to how it ended, `{ end, ms }`; `killAfterMs` later comes SIGKILL, as a preemption does. */
  async terminate(name, killAfterMs = LEAVE_MS) {
    const service = this.#services.get(name);
    this.#services.delete(name);
    const at = now();
    service.signal('SIGTERM');
    const late = setTimeout(() => service.signal('SIGKILL'), killAfterMs);
    const end = await service.ended;
    clearTimeout(late);
    return { end, ms: Math.round(now() - at) };
  }

  freeze(name) {
    this.#services.get(name).signal('SIGSTOP');
  }

  thaw(name) {
    this.#services.get(name).signal('SIGCONT');
  }

  /** Ends everything. How things end when they are asked to is for stories to test; this does not ask. */
  async stop() {
    this.balancer?.close();
    await Promise.all([...this.#services.keys()].map((name) => this.kill(name)));
    await this.redis?.kill();
    if (this.pubsub?.kill) await this.pubsub.kill();
    else if (this.pubsub) await tidyUp(this.pubsub.address, this.prefix);
    this.#links.forEach((link) => link.close());
  }

  #aim(to, address) {
    this.links(to).forEach((link) => { link.target = address; });
  }
}

export { SERVER };
