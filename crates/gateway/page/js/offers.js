// Gets jobs accepted: repeats a submit until a gateway says yes, or no for good.
// The id is made by the page, so a submit whose answer was lost can be repeated without doing the work twice.

import * as inputs from './inputs.js';
import { isUnaccepted } from './job.js';

/** Refusals that pass by themselves. */
const TEMPORARY = new Set(['queue_unavailable', 'draining', 'rate_limited', 'too_many_jobs', 'timeout']);
const DEFAULT_PAUSE_MS = 2_000;
const INPUT_GONE = { code: 'input_gone', message: 'This job was never accepted, and its content is gone' };

export class Offers {
  #connection;
  #onChange;
  #underWay = new Set();

  constructor(connection, onChange) {
    this.#connection = connection;
    this.#onChange = onChange;
  }

  /** Without a connection this ends at once; offer the job again when there is one. A job that is not listed is offered only once. */
  async offer(job, payload) {
    if (this.#underWay.has(job.id)) return;
    this.#underWay.add(job.id);
    payload ??= await inputs.fetchInput(job.id);
    if (payload === undefined) this.#refuse(job, INPUT_GONE);
    while (isUnaccepted(job)) {
      const pause = await this.#offerOnce(job, payload);
      if (pause === null) break;
      await new Promise((resume) => setTimeout(resume, pause));
    }
    this.#underWay.delete(job.id);
  }

  /** Returns the pause before the next try in milliseconds, or null when there is nothing more to do for now. */
  async #offerOnce(job, payload) {
    try {
      await this.#connection.request('job:submit', { id: job.id, kind: job.kind, payload });
      // The job's events may have overtaken the answer.
      if (isUnaccepted(job)) this.#become(job, 'queued', null);
    } catch (error) {
      if (isUnaccepted(job)) return this.#afterRefusal(job, error);
    }
    return null;
  }

  #afterRefusal(job, { code, retryAfterMs, wire }) {
    if (code === 'offline' && job.listed) return null;
    if (!TEMPORARY.has(code) || !job.listed) {
      this.#refuse(job, wire);
      return null;
    }
    const pause = retryAfterMs ?? DEFAULT_PAUSE_MS;
    job.retryAt = Date.now() + pause;
    this.#become(job, 'waiting', wire);
    return pause;
  }

  #refuse(job, error) {
    job.finishedAt = Date.now();
    this.#become(job, 'refused', error);
  }

  #become(job, state, error) {
    job.state = state;
    job.error = error;
    this.#onChange(job);
  }
}
