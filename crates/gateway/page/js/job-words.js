// What a job is doing, in words.

import { isFinished } from './job.js';
import { duration, reason } from './words.js';

const BADGES = {
  sending: 'Sending',
  waiting: 'Not accepted yet',
  queued: 'Queued',
  running: 'Running',
  retrying: 'Trying again',
  succeeded: 'Done',
  failed: 'Failed',
  cancelled: 'Cancelled',
  refused: 'Refused',
  unknown: 'Lost track',
};

export const badge = (job) => (job.cancelling ? 'Cancelling' : BADGES[job.state]);

/** The badge, and how long it took or how far it is. */
export function jobInWords(job, now) {
  if (job.state === 'succeeded') return `Done in ${duration(job.finishedAt - job.submittedAt)}`;
  if (isFinished(job)) return `${badge(job)}: ${trouble(job, now) ?? 'stopped before it was done'}`;
  if (job.state === 'running' && job.progress !== null) return `${badge(job)}, ${Math.round(job.progress * 100)} %`;
  return trouble(job, now) ?? `${badge(job)}…`;
}

/** What went wrong, or null. */
export function trouble(job, now) {
  if (job.problem) return `${reason(job.problem)}.`;
  if (job.state === 'unknown') return 'No server remembers this job any more, so its result may never show up here. Retry it to be sure.';
  if (!job.error) return null;
  const again = job.retryAt && !isFinished(job) ? ` Next try ${inSeconds(job.retryAt - now)}.` : '';
  return `${reason(job.error)}.${again}`;
}

function inSeconds(ms) {
  return ms < 1_000 ? 'now' : `in ${Math.ceil(ms / 1_000)} s`;
}
