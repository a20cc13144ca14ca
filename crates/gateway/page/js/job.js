// One job as its client sees it. Pure: no network, no page, no storage.
//
//   sending ─▶ queued ─▶ running ⇄ retrying ─▶ succeeded | failed | cancelled
//      ├─▶ waiting   not accepted for now; offered again by itself
//      ├─▶ refused   not accepted for good
//      └   unknown   accepted once, but no server remembers it

const FINISHED = new Set(['succeeded', 'failed', 'cancelled', 'refused']);
const STATE_AFTER = {
  started: 'running',
  progress: 'running',
  retrying: 'retrying',
  succeeded: 'succeeded',
  failed: 'failed',
  cancelled: 'cancelled',
};
const UNDER_WAY = new Set(['queued', 'running', 'retrying']);
const LOG_LENGTH = 30;

export function newJob({ id, kind, label, now, ...rest }) {
  return {
    id, kind, label, state: 'sending', seq: 0, attempt: 0, progress: null, error: null,
    submittedAt: now, finishedAt: null, cancelling: false, listed: true, log: [], ...rest,
  };
}

/** The part of a job that is worth keeping over a reload. */
export function toRecord({ id, kind, label, state, seq, attempt, error, submittedAt, finishedAt, foreign }) {
  return { id, kind, label, state, seq, attempt, error, submittedAt, finishedAt, foreign };
}

export const fromRecord = (record) => Object.assign(newJob({ ...record, now: record.submittedAt }), record);

export const isFinished = (job) => FINISHED.has(job.state);
/** No server has said yes so far. */
export const isUnaccepted = (job) => job.state === 'sending' || job.state === 'waiting';
export const canCancel = (job) => !isFinished(job) && !job.cancelling && job.state !== 'unknown';
export const canRetry = (job) => !job.foreign && (job.state === 'unknown' || (isFinished(job) && job.state !== 'succeeded'));

/**
 * Applies a `job:event` and says whether it changed the job.
 * An event that is not newer than the last one is a repetition, and after the end nothing counts any more.
 */
export function applyEvent(job, event, now) {
  const state = STATE_AFTER[event.type];
  if (!state || event.seq <= job.seq || isFinished(job)) return false;
  job.seq = event.seq;
  job.attempt = event.attempt ?? job.attempt;
  job.state = state;
  job.error = event.error ?? null;
  job.retryAt = state === 'retrying' && event.error?.retryAfterMs ? now + event.error.retryAfterMs : null;
  if (event.type === 'started') job.progress = null;
  if (event.type === 'progress') job.progress = event.data?.progress ?? job.progress;
  job.log = [...job.log, { type: event.type, seq: event.seq, attempt: event.attempt, at: Date.parse(event.at) || now }].slice(-LOG_LENGTH);
  if (isFinished(job)) finish(job, event.data, now);
  return true;
}

/** Applies what `job:get` answers: the only way to a result that came before a reload. */
export function applyView(job, view, now) {
  if (view.seq < job.seq) return false;
  const wasFinished = isFinished(job);
  job.seq = view.seq;
  job.attempt = view.attempt ?? job.attempt;
  job.state = view.state;
  job.error = view.error ?? null;
  if (isFinished(job)) finish(job, view.data, wasFinished ? job.finishedAt : Date.parse(view.updatedAt) || now);
  return true;
}

/** Applies one job's line of the answer to `job:resume`; says whether the job has ended and no event will tell how. */
export function applyResumed(job, { state, recovered }) {
  if (FINISHED.has(state)) return !recovered;
  if (UNDER_WAY.has(state)) job.state = state;
  else if (!recovered) job.state = 'unknown';
  return false;
}

function finish(job, data, at) {
  job.finishedAt = at;
  job.output = data;
  job.cancelling = false;
  if (job.state === 'succeeded') job.progress = 1;
}
