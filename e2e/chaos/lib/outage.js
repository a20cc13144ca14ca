// An outage of Pub/Sub under load, and what clients may expect of it: they stay connected and are refused at once, with a
// code and a hint when to come back; when it is over everything goes on by itself.

import assert from 'node:assert/strict';
import { now, pause, seconds, until } from './clock.js';
import { ends, isAccepted } from './ledger.js';

const CLIENTS = 8;
const PER_SECOND = 8;
const JOB = { echo: { sleepMs: 200 } };
/** After the beginning and before the end of an outage, how long it may go unnoticed: Mayfly has to find out. */
const NOTICE_MS = seconds(1);
/** How soon after the end of an outage jobs must be taken and done again, everywhere. */
const HEAL_MS = seconds(5);
const PING_MS = seconds(1);

/** Clients that submit without a pause, until every gateway has had a job done. */
export async function openUnderLoad({ cluster, crowd }) {
  await crowd.open(CLIENTS);
  await crowd.steady(PER_SECOND, JOB);
  const since = now();
  await until(async () => everybodyServed(await crowd.jobs(), gateways(cluster), since), 'a job done by way of each gateway', seconds(20));
}

/**
 * Has an outage begin, last for `ms`, and end; resolves once Mayfly is well again.
 * `at` names the gateways that it hits. `refuses` tells whether all submits there must be refused, or may be.
 */
export async function outage({ cluster, crowd, note }, { begin, end, ms, at = gateways(cluster), refuses = true }) {
  const pids = cluster.pids();
  const began = now();
  await begin();
  const pings = [];
  while (now() < began + ms) {
    pings.push(...(await crowd.ping()));
    await pause(Math.min(500, Math.max(0, began + ms - now())));
  }
  const ending = now();
  await end();
  const ended = now();
  await healed({ cluster, crowd, note }, ended);
  await pause(seconds(1));
  await crowd.rest();
  const jobs = await crowd.jobs();

  assert.deepEqual((await crowd.moves(began)).filter(({ type }) => type === 'disconnect'), [], 'nobody loses the connection');
  assert.ok(Math.max(...pings) < PING_MS, `a ping took ${Math.max(...pings)} ms`);
  assert.deepEqual(cluster.pids(), pids, 'no process ends or is started');
  checkRefusals(jobs);
  if (refuses) {
    const during = jobs.flatMap(({ answers }) => answers).filter((answer) => answer.at > began + NOTICE_MS && answer.at < ending - NOTICE_MS && at.includes(answer.gateway));
    assert.ok(during.length > 0, 'somebody must have asked during the outage');
    assert.deepEqual(during.filter(({ outcome }) => outcome !== 'refused'), [], 'a job was accepted during the outage');
  }
  return { began, ended };
}

/** Waits until a job that was submitted after `since` is done by way of each gateway, and notes how long that took. */
export async function healed({ cluster, crowd, note }, since) {
  const served = async () => everybodyServed(await crowd.jobs(), gateways(cluster), since);
  const at = await until(served, 'a job done by way of each gateway', seconds(30));
  note({ recoverMs: Math.round(at - since) });
  assert.ok(at - since < HEAL_MS, `it took ${at - since} ms until every gateway's jobs were done again`);
}

/** Whatever was refused was refused for the right reason and with a hint when to come back; how soon is the ledger's business. */
export function checkRefusals(jobs) {
  const refusals = jobs.flatMap(({ answers }) => answers).filter(({ outcome }) => outcome === 'refused');
  assert.deepEqual(refusals.filter(({ code, retryAfterMs }) => code !== 'queue_unavailable' || !(retryAfterMs > 0)), []);
}

/** When the last job that was accepted before `at` had ended, or nothing as long as one has not. */
export function drained(jobs, at) {
  const before = jobs.filter((job) => isAccepted(job) && job.at < at);
  return before.every((job) => ends(job).length) && Math.max(...before.map((job) => ends(job)[0].at));
}

/** When the last of the gateways had a job done that was submitted after `since`, or nothing as long as one has not. */
function everybodyServed(jobs, names, since) {
  const firsts = names.map((name) => {
    const done = jobs.filter((job) => job.at > since && ends(job).length && job.answers.at(-1)?.gateway === name && isAccepted(job));
    return Math.min(...done.map((job) => ends(job)[0].at));
  });
  return Math.max(...firsts) < Infinity && Math.max(...firsts);
}

const gateways = (cluster) => cluster.names().filter((name) => name.startsWith('gateway'));
