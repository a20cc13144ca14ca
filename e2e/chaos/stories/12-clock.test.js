// Clocks of machines jump: after a live migration, or when somebody mends the time. Gateways and workers get one that does.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { now, pause, seconds, until } from '../lib/clock.js';
import { delivery, isAccepted } from '../lib/ledger.js';
import { story } from '../lib/story.js';

const FAKETIME = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu'].map((folder) => `${folder}/faketime/libfaketimeMT.so.1`).find(existsSync);
if (!FAKETIME) throw new Error('libfaketime is missing: scripts/install-test-tools installs it');
const HOUR_S = 3_600;
const CLIENTS = 8;

const folder = mkdtempSync(join(tmpdir(), 'mayfly-clock-'));
process.once('exit', () => rmSync(folder, { recursive: true }));
/** Each machine has its own. */
const MACHINES = ['1', '2'];
const fileOf = (machine) => join(folder, `time-${machine}`);
/** All at once: half a line would be another time. */
const setClock = (offsetS, machines = MACHINES) => {
  for (const file of machines.map(fileOf)) {
    writeFileSync(`${file}.new`, `${offsetS < 0 ? '' : '+'}${offsetS}s\n`);
    renameSync(`${file}.new`, file);
  }
};
setClock(0);

/** So little that it takes both workers to do the work. */
const WORKER_CONCURRENCY = '24';
/** Only the time of day: what measures how long something takes has its own clock, which nobody can set. */
const env = (name) => ({ WORKER_CONCURRENCY, LD_PRELOAD: FAKETIME, FAKETIME_TIMESTAMP_FILE: fileOf(name.at(-1)), FAKETIME_CACHE_DURATION: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1', DONT_FAKE_MONOTONIC: '1' });

story(12, 'the clock jumps by an hour, forwards and backwards, everywhere and on one machine of two', { gateways: 2, workers: 2, env }, async ({ cluster, crowd, note }) => {
  await crowd.open(CLIENTS);
  const { sessions } = await crowd.state();
  await crowd.steady(20, { echo: { sleepMs: 1_500, steps: 3 } });
  await pause(seconds(3));
  const began = now();
  for (const [offsetS, machines] of [[HOUR_S], [-HOUR_S], [0], [HOUR_S, ['1']], [-HOUR_S, ['1']]]) {
    setClock(offsetS, machines);
    const since = now();
    // By what the workers write on their events.
    const noticed = async () => (await crowd.jobs()).some(({ events }) => events.some(({ at, clockMs }) => at > since && Math.abs(clockMs - at - offsetS * 1_000) < seconds(60)));
    await until(noticed, `the workers' clocks to be ${offsetS} s off`, seconds(6));
    await pause(seconds(2));
    assert.deepEqual((await crowd.moves(began)).filter(({ type }) => type === 'disconnect'), [], `a clock that is ${offsetS} s off disconnects nobody`);
  }

  // Whoever comes back at another time is still the same, and gets a session that lasts as long as ever by that time.
  const lasts = async () => (await crowd.state()).expiries.map((at) => at - now());
  const [usual] = await lasts();
  for (const offsetS of [HOUR_S, -HOUR_S]) {
    setClock(offsetS);
    await pause(seconds(2));
    const at = now();
    cluster.balancer.drop();
    await until(async () => (await crowd.moves(at)).filter(({ type }) => type === 'connect').length === CLIENTS, 'everybody to be back', seconds(10));
    assert.deepEqual((await crowd.state()).sessions, sessions);
    const off = (await lasts()).map((ms) => ms - usual - offsetS * 1_000);
    assert.ok(Math.max(...off.map(Math.abs)) < seconds(60), `sessions end ${off} ms later than they should`);
  }
  await crowd.rest();
  const at = now();
  await crowd.settle(seconds(20));
  note({ drainMs: Math.round(now() - at) });
  const jobs = await crowd.jobs();
  assert.deepEqual(jobs.filter((job) => !isAccepted(job)), []);
  assert.deepEqual(jobs.filter(({ events }) => events.some((event) => delivery(event) > 1)), [], 'a clock must not cost a lease');
});
