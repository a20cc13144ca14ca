import assert from 'node:assert/strict';
import { now, seconds, until } from '../lib/clock.js';
import { ends } from '../lib/ledger.js';
import { story } from '../lib/story.js';

const CLIENTS = 500;
/** Stock clients come back after 1 s, and try again after up to 5 s; the load balancer needs up to 4 s to notice. */
const BACK_MS = seconds(10);
const RESULTS_MS = seconds(15);
/** Submits as the gateway dies. */
const LAST_WORDS = 60;

story(3, 'kill -9 a gateway with 500 sockets: clients are back and hold their results', { gateways: 1 }, async ({ cluster, crowd, note }) => {
  await crowd.open(CLIENTS);
  await cluster.start('gateway-2');
  // Ends come in before, during and after the kill, and while nobody is connected.
  const ids = (await Promise.all([0, 200, 1_000, 3_000].map((sleepMs) => crowd.submit(CLIENTS / 4, { echo: { sleepMs } })))).flat();
  await crowd.steady(50, { text: 'meanwhile' });
  await crowd.until(ids, (jobs) => jobs.some((job) => ends(job).length), 'the first results', seconds(10));
  // Some of these are read and not answered, or not even read.
  const atTheEnd = await crowd.submit(LAST_WORDS, { text: 'now or never' });
  const killedAt = now();
  await cluster.kill('gateway-1');
  await until(async () => (await crowd.state()).gateways['gateway-2'] === CLIENTS, 'all clients to be back', BACK_MS);
  note({ recoverMs: Math.round(now() - killedAt) });
  await crowd.until(ids, (jobs) => jobs.every((job) => ends(job).length), 'all results', RESULTS_MS);
  const jobs = await crowd.jobs(ids);
  const missed = jobs.filter((job) => ends(job)[0].gateway === 'gateway-2');
  assert.ok(missed.length > 0 && missed.length < jobs.length, `${missed.length} of ${jobs.length} results came after the kill`);
  const repeated = (await crowd.jobs(atTheEnd)).filter(({ answers }) => answers.some(({ outcome }) => outcome === 'cut'));
  assert.ok(repeated.length > 0, 'no submit was under way when the gateway died');
  note({ repeated: repeated.length });
});
