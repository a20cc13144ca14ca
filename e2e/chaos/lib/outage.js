// An outage of Pub/Sub under load, and what clients may expect of it: they stay connected and are refused at once, with a
// code and a hint when to come back; when it is over everything goes on by itself.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { now, pause, seconds, until } from './clock.js';
import { ends, isAccepted } from './ledger.js';
import { list, publish } from './outsider.js';
import { AFTER_A_CUT_MS } from './pubsub.js';

const CLIENTS = 8;
const PER_SECOND = 8;
const JOB = { echo: { sleepMs: 200 } };
/** After the beginning and before the end of an outage, how long it may go unnoticed: Mayfly has to find out. */
const NOTICE_MS = seconds(1);
/** How soon after the end of an outage jobs must be taken and done again, everywhere. */
export const HEAL_MS = seconds(5);
const PING_MS = seconds(1);
/** How soon after the end of an outage the last job from before it must have ended. */
const REDELIVERY_MS = seconds(20);

/** Every kind of process that consumes something, and what jobs may be refused with meanwhile. */
export const AWAY = { workers: 1, deadLetters: 1, refusals: ['queue_unavailable'] };

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
  // Whoever was not answered yet is asked for, too.
  await crowd.settle(AFTER_A_CUT_MS);
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
  const last = Math.max(0, Math.round(drained(jobs, ended) - ended));
  note({ drainMs: last });
  assert.ok(last < REDELIVERY_MS, `the last job from before ended ${last} ms after the outage`);
  return { began, ended };
}

/**
 * Waits until everybody is back at work, and notes how long that took: each gateway has had a job done that was submitted after
 * `since`, a job that runs at a worker can be cancelled, and one that nobody understands is put aside.
 */
export async function healed({ cluster, crowd, note }, since) {
  const served = async () => everybodyServed(await crowd.jobs(), gateways(cluster), since);
  const took = await Promise.all([
    until(served, 'a job done by way of each gateway', seconds(30)).then((at) => ["a gateway's jobs to be done", at - since]),
    cancelled(crowd).then((at) => ['a job to be cancelled', at - since]),
    putAside({ cluster, crowd }).then((at) => ['a bad job to be put aside', at - since]),
  ]);
  note({ recoverMs: Math.round(Math.max(...took.map(([, ms]) => ms))) });
  for (const [what, ms] of took) assert.ok(ms < HEAL_MS, `it took ${ms} ms for ${what}`);
}

/** When jobs that were running, and would have for long, had ended because they were cancelled. */
async function cancelled(crowd) {
  let ids = [];
  const running = async () => {
    ids.push(...(await crowd.submit(2, { echo: { sleepMs: seconds(30) } }, ['cancelled'])));
    await pause(200);
    const jobs = await crowd.jobs(ids);
    return jobs.filter((job) => job.events.some(({ type }) => type === 'started')).length >= 2;
  };
  await until(running, 'long jobs to run', seconds(30));
  const accepted = async () => (await crowd.jobs(ids)).every(({ answers }) => answers.length > 0);
  await until(accepted, 'every submit to be answered', seconds(5));
  ids = (await crowd.jobs(ids)).filter(isAccepted).map(({ id }) => id);
  for (const answer of await crowd.cancel(ids)) assert.deepEqual(answer, { ok: true });
  await crowd.until(ids, (jobs) => jobs.every((job) => ends(job).length), 'them to be cancelled', seconds(30));
  return Math.max(...(await crowd.jobs(ids)).map((job) => ends(job)[0].at));
}

/** When a job of an unknown kind had ended, which is for the worker of the dead letters to say. */
async function putAside({ cluster, crowd }) {
  const [{ id, audience }] = await crowd.adopt([randomUUID()], ['failed']);
  // Without this it would reach nobody.
  await until(async () => (await list(cluster, 'subscriptions').catch(() => [])).includes(`${cluster.prefix}jobs-echo-worker`), 'a subscription for jobs', seconds(30));
  const published = () => publish(cluster, 'jobs-echo', [{ attributes: { id, audience, kind: 'juggling' } }]).then(() => true, () => false);
  await until(published, 'the bad job to be published', seconds(30));
  await crowd.until([id], ([job]) => ends(job).length, 'its client to be told', seconds(30));
  return ends((await crowd.jobs([id]))[0])[0].at;
}

/** Whatever was refused was refused for the right reason and with a hint when to come back; how soon is the ledger's business. */
export function checkRefusals(jobs) {
  const refusals = jobs.flatMap(({ answers }) => answers).filter(({ outcome }) => outcome === 'refused');
  assert.deepEqual(refusals.filter(({ code, retryAfterMs }) => code !== 'queue_unavailable' || !(retryAfterMs > 0)), []);
}

/** When the last job that was accepted before `at` had ended, or nothing as long as one has not. */
function drained(jobs, at) {
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
