// A story: a cluster, a crowd, something terrible, and the books at the end.

import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { now, pause, seconds } from './clock.js';
import { Cluster, SERVER } from './cluster.js';
import { Crowd } from './crowd.js';
import { AFTER_A_CUT_MS } from './pubsub.js';
import { schedule } from './schedule.js';

// Everything that was started is ended at our exit, which a signal alone would not bring about.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

/** In which one end too many would come: longer than a lease, if there is time for that. */
const QUIET_MS = seconds(schedule({ full: 11, short: 2 }));
const ARTIFACTS = fileURLToPath(new URL('../../../artifacts', import.meta.url));

/**
 * `play({ cluster, crowd, note })` is given a cluster of `shape` (see Cluster.start). `refusals` are the codes with which jobs may
 * be refused in it; in most stories there is no reason for any. What it passes to `note`, for instance
 * `{ recoverMs, drainMs }`, goes into the line that the story leaves in artifacts/chaos.jsonl. In the end every job is waited
 * for, the ledger must balance, and nobody may have died but by the story's hand. `stallMs` there is for how long at most the machine left this process without its turn:
 * bounds of a second mean little where that is long.
 */
export function story(number, name, { refusals = [], ...shape }, play) {
  test(`${number}. ${name} (${SERVER})`, async () => {
    const figures = {};
    const beganAt = now();
    const stalls = monitorEventLoopDelay();
    stalls.enable();
    const cluster = await Cluster.start(shape);
    const crowd = new Crowd(cluster.url);
    const failures = [];
    const attempt = (step) => step.catch((error) => failures.push(error));
    await attempt(play({ cluster, crowd, note: (more) => Object.assign(figures, more) }));
    await attempt(crowd.rest());
    // The last jobs may be waiting for the lease of a killed worker, for a reconnect, and for their turn.
    if (failures.length === 0) {
      await crowd.settle(AFTER_A_CUT_MS);
      await pause(QUIET_MS);
    }
    const { problems, ...books } = await crowd.balance(refusals);
    await crowd.close();
    problems.push(...cluster.accidents());
    await cluster.stop();
    if (problems.length) failures.push(new assert.AssertionError({ message: `the books do not balance:\n${problems.join('\n')}` }));
    report({ number, name, server: SERVER, passed: failures.length === 0, ...books, ...figures, stallMs: Math.round(stalls.max / 1e6), seconds: Math.round((now() - beganAt) / 100) / 10 });
    if (failures.length) keepLogs(`${number} ${name} ${SERVER}`, cluster);
    if (failures.length > 1) throw new AggregateError(failures, failures.map(({ message }) => message).join('\n'));
    if (failures.length) throw failures[0];
  });
}

function report(line) {
  mkdirSync(ARTIFACTS, { recursive: true });
  appendFileSync(`${ARTIFACTS}/chaos.jsonl`, `${JSON.stringify(line)}\n`);
}

/** What everybody said, for whoever wants to know why. */
function keepLogs(title, cluster) {
  const folder = `${ARTIFACTS}/chaos-logs/${title.replaceAll(/\W+/g, '-')}`;
  mkdirSync(folder, { recursive: true });
  for (const [name, lives] of cluster.logs) writeFileSync(`${folder}/${name}.log`, lives.map((log) => log.join('\n')).join('\n--- started again ---\n'));
}
