// The stories are only as good as their ledger: it has to find what is wrong.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { balance, Ledger, LOST } from '../lib/ledger.js';

const ACCEPTED = { at: 0, ms: 5, outcome: 'accepted' };
const REFUSED = { at: 0, ms: 5, outcome: 'refused', code: 'draining' };
const SUCCEEDED = { client: 0, at: 9, type: 'succeeded', seq: 2 ** 20 };

function ledger(...steps) {
  const ledger = new Ledger();
  ledger.submit('job', 0, 0);
  for (const step of steps) {
    if (step.outcome) ledger.answer('job', step);
    else ledger.event('job', step);
  }
  return ledger;
}

const problems = (...steps) => balance(ledger(...steps).all(), ['draining']).problems.map((problem) => problem.replace(/:.*/, ''));

test('a ledger balances when every job has one answer and every accepted one has one end', () => {
  assert.deepEqual(problems(ACCEPTED, SUCCEEDED), []);
  assert.deepEqual(problems(REFUSED), []);
  assert.deepEqual(problems({ ...ACCEPTED, outcome: 'cut' }, ACCEPTED, { ...SUCCEEDED, type: 'started', seq: 1 }, SUCCEEDED), []);
});

test('a ledger finds what was lost, doubled, failed, slow, mute, misled, unfounded, or never answered', () => {
  assert.deepEqual(problems(ACCEPTED), ['1 accepted, but never ended']);
  assert.deepEqual(problems(ACCEPTED, SUCCEEDED, { ...SUCCEEDED, seq: 2 ** 21 }), ['1 ended more than once']);
  assert.deepEqual(problems(ACCEPTED, { ...SUCCEEDED, type: 'failed' }), ['1 ended, but not as it should']);
  assert.deepEqual(problems({ ...REFUSED, ms: 1_000 }), ['1 refused late']);
  assert.deepEqual(problems({ ...REFUSED, code: undefined }), ['1 refused without a reason that there was']);
  assert.deepEqual(problems({ ...REFUSED, code: 'internal' }), ['1 refused without a reason that there was']);
  assert.deepEqual(problems({ ...ACCEPTED, outcome: 'silent' }, ACCEPTED, SUCCEEDED), ['1 not answered on a connection that stayed open']);
  assert.deepEqual(problems(ACCEPTED, SUCCEEDED, { ...SUCCEEDED, client: 1 }), ['1 told to somebody else']);
  assert.deepEqual(problems(ACCEPTED, { ...SUCCEEDED, client: 1 }), ['1 accepted, but never ended', '1 told to somebody else']);
  assert.deepEqual(problems({ ...ACCEPTED, outcome: 'cut' }), ['1 neither accepted nor refused']);
});

test('a ledger waits for every job of which more is to be expected', () => {
  assert.equal(ledger().open, 1);
  assert.equal(ledger(ACCEPTED).open, 1);
  assert.equal(ledger(ACCEPTED, SUCCEEDED).open, 0);
  assert.equal(ledger(SUCCEEDED, ACCEPTED).open, 0);
  assert.equal(ledger(REFUSED).open, 0);
});

test('a ledger counts apart what Pub/Sub may lose by its own rules', () => {
  const books = new Ledger();
  books.submit('job', 0, 0, ['succeeded', LOST]);
  books.answer('job', ACCEPTED);
  const { problems: wrong, lost, lostByRule } = balance(books.all());
  assert.deepEqual([wrong, lost, lostByRule, books.open], [[], 0, 1, 0]);
});
