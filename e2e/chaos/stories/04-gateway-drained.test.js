import assert from 'node:assert/strict';
import { now, pause, seconds, until } from '../lib/clock.js';
import { openFullWindow } from '../lib/full-window.js';
import { story } from '../lib/story.js';

const CLIENTS = 2_000;
const JOBS_PER_SECOND = 60;
const DRAIN_MS = seconds(12);
const SPREAD_MS = seconds(6);
/** The largest part of all reconnects that may fall into one second. */
const MOST_IN_A_SECOND = 0.3;
const BACK_MS = seconds(15);

story(4, 'SIGTERM a gateway with 2,000 sockets and steady traffic: nothing is lost, nobody stampedes', { gateways: 1 }, async ({ cluster, crowd, note }) => {
  await crowd.open(CLIENTS);
  await cluster.start('gateway-2');
  await crowd.steady(JOBS_PER_SECOND, { text: 'steady', echo: { sleepMs: 200 } });
  const stuck = await openFullWindow(cluster.process('gateway-1').found);
  await pause(seconds(1));
  assert.ok(stuck.isStuck(), 'one peer reads nothing and its window is full');

  const toldAt = now();
  const { end, ms } = await cluster.terminate('gateway-1');
  note({ drainMs: ms });
  await until(async () => (await crowd.state()).gateways['gateway-2'] === CLIENTS, 'all clients to be at the other gateway', BACK_MS);
  note({ recoverMs: Math.round(now() - toldAt) });
  stuck.close();

  // Some come back here before the load balancer has noticed, and move once more.
  const moves = (await crowd.moves(toldAt)).filter(({ type }) => type === 'connect');
  const returns = moves.map(({ at }) => at).sort((a, b) => a - b);
  const spread = returns.at(-1) - returns[0];
  const most = Math.max(...returns.map((from) => returns.filter((at) => at >= from && at < from + seconds(1)).length));
  note({ spreadMs: Math.round(spread), mostInASecond: most, moves: moves.length });
  assert.equal(end, 0);
  assert.ok(ms < DRAIN_MS, `it left after ${ms} ms`);
  assert.equal(new Set(moves.map(({ client }) => client)).size, CLIENTS);
  assert.ok(spread >= SPREAD_MS, `all were back within ${spread} ms`);
  assert.ok(most <= MOST_IN_A_SECOND * CLIENTS, `${most} came back within one second`);
});
