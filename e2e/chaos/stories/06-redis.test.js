import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { now, pause, seconds, until } from '../lib/clock.js';
import { ends } from '../lib/ledger.js';
import { story } from '../lib/story.js';

const CLIENTS = 40;
const PASSWORD = 'what everybody was told';
const OTHER_PASSWORD = 'somebody changed it';
const JOBS_PER_SECOND = 20;
/** How long clients work in each state of Redis. */
const WORK_MS = seconds(2);
/** How soon everybody must have noticed. */
const NOTICE_MS = seconds(10);
/** What no request may wait longer for Redis. */
const REDIS_MS = 50;
/** How much longer a request may take on a busy machine than an idle one, half of the time. */
const BUSY_MS = 40;
/** What nobody may wait longer for, whatever Redis does: an answer, and the end of a job that takes no time. */
const ANSWER_MS = seconds(1);
const END_MS = seconds(3);

const shape = { redis: false, password: PASSWORD, gateways: 1, workers: 1 };

story(6, 'Redis locked and absent at boot, killed, back empty, frozen, full, locked: nobody waits for it, nobody is restarted', shape, async ({ cluster, crowd, note }) => {
  const recoveries = [];
  const probes = {};
  const statuses = async () => (await crowd.state()).statuses.map((status) => status?.redis);
  const become = async (state, how = state) => {
    const since = now();
    // Before anybody has noticed, and afterwards.
    if (state === 'down') await probe(`${how}, unnoticed`);
    await until(async () => (await statuses()).every((redis) => redis === state), async () => `Redis to be ${state} for everybody, it is ${await statuses()}`, NOTICE_MS);
    if (state === 'up') recoveries.push(now() - since);
    await probe(how);
    await pause(WORK_MS);
  };
  const probe = async (how) => {
    const jobs = await crowd.submit(CLIENTS, {});
    await crowd.until(jobs, (submitted) => submitted.every(({ answers }) => answers.length), 'all submits to be answered', ANSWER_MS);
    const submits = (await crowd.jobs(jobs)).map(({ answers: [{ ms }] }) => ({ 'job:submit': ms }));
    probes[how] = [...submits, ...(await crowd.probe(jobs))];
  };

  // One of each has started without it, and the others find it locked.
  await crowd.open(CLIENTS);
  await crowd.steady(JOBS_PER_SECOND, { text: 'steady', echo: { sleepMs: 50, steps: 2 } });
  await become('down', 'absent');
  await cluster.startRedis(OTHER_PASSWORD);
  await Promise.all(['gateway-2', 'worker-2'].map((name) => cluster.start(name)));
  const pids = cluster.pids();
  await become('down', 'locked');
  await redis(cluster, OTHER_PASSWORD)('CONFIG', 'SET', 'requirepass', PASSWORD);
  await become('up');
  const asked = redis(cluster, PASSWORD);

  await cluster.redis.kill();
  await become('down', 'killed');
  await cluster.startRedis();
  await become('up', 'up, and empty');

  cluster.redis.signal('SIGSTOP');
  await become('down', 'frozen');
  cluster.redis.signal('SIGCONT');
  await become('up');

  const owner = redis(cluster, PASSWORD);
  await owner('CONFIG', 'SET', 'maxmemory', '1');
  await become('down', 'full');
  await owner('CONFIG', 'SET', 'maxmemory', '0');
  await become('up');

  await owner('CONFIG', 'SET', 'requirepass', OTHER_PASSWORD);
  const other = redis(cluster, OTHER_PASSWORD);
  await other('CLIENT', 'KILL', 'TYPE', 'normal');
  await other('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await become('down', 'locked again');
  await other('CONFIG', 'SET', 'requirepass', PASSWORD);
  await become('up');
  note({ recoverMs: Math.round(Math.max(...recoveries)) });

  await crowd.rest();
  await crowd.settle(END_MS);
  const jobs = await crowd.jobs();
  const slowestAnswer = Math.max(...jobs.flatMap(({ answers }) => answers.map(({ ms }) => ms)));
  const slowestEnd = Math.max(...jobs.map((job) => Math.min(...ends(job).map(({ at }) => at - job.at))));
  const medians = Object.entries(probes).map(([how, took]) => [how, mediansOf(took)]);
  note({ slowestAnswerMs: Math.round(slowestAnswer), slowestEndMs: Math.round(slowestEnd), medians: Object.fromEntries(medians) });
  assert.deepEqual(cluster.pids(), pids, 'no process ends or is started');
  assert.deepEqual((await crowd.moves()).filter(({ type }) => type === 'disconnect'), [], 'no socket was lost');
  assert.ok(jobs.every(({ answers }) => answers.every(({ outcome }) => outcome === 'accepted')), 'no submit was refused');
  assert.ok(slowestAnswer < ANSWER_MS, `an answer took ${slowestAnswer} ms`);
  assert.ok(slowestEnd < END_MS, `a job took ${slowestEnd} ms`);
  const usual = mediansOf(probes.up);
  for (const [how, took] of medians) {
    for (const [name, ms] of Object.entries(took)) assert.ok(ms < usual[name] + REDIS_MS + BUSY_MS, `${name} took ${ms} ms with Redis ${how}, and ${usual[name]} ms usually`);
  }
});

/** By the name of what was asked, how long half of them took at most. */
function mediansOf(probes) {
  const all = {};
  for (const [name, ms] of probes.flatMap(Object.entries)) (all[name] ??= []).push(ms);
  return Object.fromEntries(Object.entries(all).map(([name, times]) => [name, Math.round(times.sort((a, b) => a - b)[times.length >> 1] * 10) / 10]));
}

/** Says something to Redis, and throws when it does not say OK or a number. */
function redis({ redis: { address } }, password) {
  const [host, port] = address.split(':');
  return async (...words) => {
    const { stdout } = await promisify(execFile)('redis-cli', ['-h', host, '-p', port, '-a', password, '--no-auth-warning', ...words]);
    assert.match(stdout.trim(), /^(OK|\d+)$/);
  };
}
