import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { now, pause, seconds, until } from '../lib/clock.js';
import { ends } from '../lib/ledger.js';
import { story } from '../lib/story.js';

const CLIENTS = 40;
const PASSWORD = 'somebody changed it';
const JOBS_PER_SECOND = 20;
/** How long clients work in each state of Redis. */
const WORK_MS = seconds(2);
/** How soon everybody must have noticed. */
const NOTICE_MS = seconds(10);
/** What nobody may wait longer for, whatever Redis does: an answer, and the end of a job that takes no time. */
const ANSWER_MS = seconds(1);
const END_MS = seconds(3);

story(6, 'Redis absent at boot, killed, back empty, frozen, full, locked: nobody waits for it, nobody is restarted', { redis: false }, async ({ cluster, crowd, note }) => {
  const pids = () => cluster.names().map((name) => cluster.process(name).pid);
  const atFirst = pids();
  const recoveries = [];
  const become = async (state) => {
    const since = now();
    const statuses = async () => (await crowd.state()).statuses.map((status) => status?.redis);
    await until(async () => (await statuses()).every((redis) => redis === state), async () => `Redis to be ${state} for everybody, it is ${await statuses()}`, NOTICE_MS);
    if (state === 'up') recoveries.push(now() - since);
    await pause(WORK_MS);
  };
  await crowd.open(CLIENTS);
  await crowd.steady(JOBS_PER_SECOND, { text: 'steady', echo: { sleepMs: 50, steps: 2 } });

  await become('down');
  await cluster.startRedis();
  await become('up');
  await cluster.redis.kill();
  await become('down');
  await cluster.startRedis();
  await become('up');

  cluster.redis.signal('SIGSTOP');
  await become('down');
  cluster.redis.signal('SIGCONT');
  await become('up');

  const redis = command(cluster.redis.address);
  await redis('CONFIG', 'SET', 'maxmemory', '1');
  await become('down');
  await redis('CONFIG', 'SET', 'maxmemory', '0');
  await become('up');

  await redis('CONFIG', 'SET', 'requirepass', PASSWORD);
  const owner = command(cluster.redis.address, '-a', PASSWORD, '--no-auth-warning');
  await owner('CLIENT', 'KILL', 'TYPE', 'normal');
  await owner('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await become('down');
  await owner('CONFIG', 'SET', 'requirepass', '');
  await become('up');
  note({ recoverMs: Math.round(Math.max(...recoveries)) });

  await crowd.rest();
  const jobs = await crowd.jobs();
  const slowestAnswer = Math.max(...jobs.flatMap(({ answers }) => answers.map(({ ms }) => ms)));
  const slowestEnd = Math.max(...jobs.flatMap((job) => ends(job).map(({ at }) => at - job.at)));
  note({ slowestAnswerMs: Math.round(slowestAnswer), slowestEndMs: Math.round(slowestEnd) });
  assert.deepEqual(pids(), atFirst);
  assert.deepEqual((await crowd.moves()).filter(({ type }) => type === 'disconnect'), [], 'no socket was lost');
  assert.ok(jobs.every(({ answers }) => answers.every(({ outcome }) => outcome === 'accepted')), 'no submit was refused');
  assert.ok(slowestAnswer < ANSWER_MS, `an answer took ${slowestAnswer} ms`);
  assert.ok(slowestEnd < END_MS, `a job took ${slowestEnd} ms`);
});

/** Says something to Redis, and throws when it does not say OK or a number. */
function command(address, ...options) {
  const [host, port] = address.split(':');
  return async (...words) => {
    const { stdout } = await promisify(execFile)('redis-cli', ['-h', host, '-p', port, ...options, ...words]);
    assert.match(stdout.trim(), /^(OK|\d+)$/);
  };
}
