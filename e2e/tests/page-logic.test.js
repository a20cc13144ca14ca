// The parts of the page that need no browser: what a job's events mean, and how numbers are drawn and said.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

const page = new URL('../../crates/gateway/page/js/', import.meta.url);
const { applyEvent, applyResumed, applyView, fromRecord, isFinished, newJob, toRecord } = await import(new URL('job.js', page));
const { Samples, summary } = await import(new URL('samples.js', page));
const { logScale, position } = await import(new URL('scale.js', page));
const { ago, bytes, duration, reason } = await import(new URL('words.js', page));

const NOW = Date.parse('2026-11-23T12:00:00Z');
const accepted = () => newJob({ id: 'j', kind: 'echo', label: 'hello', now: NOW, state: 'queued' });
const event = (type, seq, rest) => ({ jobId: 'j', kind: 'echo', type, seq, attempt: 1, at: '2026-11-23T12:00:01Z', ...rest });

describe('a job as its client sees it', () => {
  it('ignores events that it has seen, or that come too late', () => {
    const job = accepted();
    assert.ok(applyEvent(job, event('started', 1), NOW));
    assert.ok(applyEvent(job, event('progress', 5, { data: { progress: 0.5 } }), NOW));
    assert.ok(!applyEvent(job, event('progress', 5, { data: { progress: 0.9 } }), NOW));
    assert.ok(!applyEvent(job, event('progress', 4, { data: { progress: 0.4 } }), NOW));
    assert.equal(job.progress, 0.5);
  });

  it('ends once', () => {
    const job = accepted();
    assert.ok(applyEvent(job, event('succeeded', 2, { data: { text: 'hi' } }), NOW + 40));
    assert.ok(!applyEvent(job, event('failed', 3, { error: { code: 'x' } }), NOW + 50));
    assert.deepEqual([job.state, job.output, job.finishedAt - job.submittedAt], ['succeeded', { text: 'hi' }, 40]);
  });

  it('is the same after a reload, apart from its result, which the server keeps', () => {
    const job = accepted();
    applyEvent(job, event('succeeded', 2, { data: { text: 'hi' } }), NOW + 40);
    const reloaded = fromRecord(JSON.parse(JSON.stringify(toRecord(job))));
    assert.deepEqual([reloaded.state, reloaded.seq, reloaded.finishedAt, reloaded.output], ['succeeded', 2, NOW + 40, undefined]);
    assert.ok(applyView(reloaded, { state: 'succeeded', seq: 2, attempt: 1, data: { text: 'hi' } }, NOW));
    assert.deepEqual([reloaded.output, reloaded.finishedAt], [{ text: 'hi' }, NOW + 40]);
  });

  it('takes its state from what the server remembers, and admits when that is nothing', () => {
    const job = accepted();
    assert.ok(!applyResumed(job, { state: 'running', recovered: true }));
    assert.equal(job.state, 'running');
    assert.ok(!applyResumed(job, { state: 'succeeded', recovered: true }), 'its end follows as an event');
    assert.ok(applyResumed(job, { state: 'succeeded', recovered: false }), 'its end has to be fetched');
    assert.ok(!applyResumed(job, { state: null, recovered: false }));
    assert.equal(job.state, 'unknown');
    assert.ok(!isFinished(job));
    assert.ok(applyEvent(job, event('succeeded', 9), NOW), 'and yet its end may come');
  });
});

describe('round trips', () => {
  it('are those of the last minute', () => {
    const samples = new Samples();
    samples.add(0, 500);
    [5, 7, 6, null].forEach((ms, index) => samples.add(50_000 + index, ms));
    assert.deepEqual(summary(samples.since(61_000)), { last: 6, median: 6, p99: 7, returned: 3, missing: 1 });
    assert.deepEqual(summary([]), { last: null, median: null, p99: null, returned: 0, missing: 0 });
  });

  it('are drawn between round gridlines', () => {
    assert.deepEqual(logScale([4.2, 17]), { from: 2, to: 50, ticks: [2, 5, 10, 20, 50] });
    assert.deepEqual(logScale([3, 9_000]).ticks, [2, 10, 100, 1000, 10_000, 20_000]);
    const scale = logScale([12]);
    assert.ok(scale.from < 12 && scale.to > 12 && scale.ticks.length >= 3);
    assert.deepEqual([position(scale, scale.from), position(scale, scale.to)], [0, 1]);
  });
});

describe('words', () => {
  it('say durations, sizes and moments', () => {
    assert.deepEqual([0.04, 5.64, 9.96, 84.4, 999.6, 2_345, 59_400, 60_000, 7_200_000].map(duration),
      ['0 ms', '5.6 ms', '10 ms', '84 ms', '1 s', '2.3 s', '59.4 s', '1 min', '2 h']);
    assert.deepEqual([999, 4_321, 9_000_000].map(bytes), ['999 bytes', '4 kB', '9 MB']);
    assert.deepEqual([4_000, 12_300, 120_000].map(ago), ['just now', '12 s ago', '2 min ago']);
  });

  it('say errors, the worker\'s own too', () => {
    assert.equal(reason({ code: 'queue_unavailable', message: 'No answer.' }), 'The queue is out of reach just now');
    assert.equal(reason({ code: 'forbidden', message: 'for guests.' }), 'This session may not do that (for guests)');
    assert.equal(reason({ code: 'out_of_luck', message: 'asked to fail.' }), 'Asked to fail (out_of_luck)');
    assert.equal(reason({}), 'Something went wrong');
  });
});
