// What clients asked for, what they were answered and what they heard. Pure.

const TERMINAL = new Set(['succeeded', 'failed', 'cancelled']);
/** The longest that a refusal may take. */
const REFUSAL_MS = 1_000;

export const isEnd = ({ type }) => TERMINAL.has(type);
export const ends = (job) => job.events.filter(isEnd);
/** Which delivery of the job an event is about: 1 for the first worker that got it. */
export const delivery = ({ seq }) => Math.floor(seq / 2 ** 20);
export const isAccepted = (job) => job.answers.some(({ outcome }) => outcome === 'accepted');
export const isRefused = (job) => !isAccepted(job) && job.answers.at(-1)?.outcome === 'refused';
/** Whether nothing more is to be expected of it. */
export const isSettled = (job) => (isAccepted(job) ? ends(job).length > 0 || job.mayEnd.includes(LOST) : isRefused(job));
/** How a job may end that was accepted while its topic had no subscription: not at all, by Pub/Sub's own rules. */
export const LOST = 'lost';

export class Ledger {
  #jobs = new Map();
  #open = new Set();

  /** `mayEnd` names the ways in which it may end, if not well. */
  submit(id, client, at, mayEnd = ['succeeded']) {
    const job = { id, client, at, mayEnd, answers: [], events: [], strays: [] };
    this.#jobs.set(id, job);
    this.#open.add(id);
    return job;
  }

  /**
   * What became of one submit. `outcome` is `accepted`, `refused` (with a code), `silent` (the client gave up waiting
   * on a connection that stayed open), or `cut` (the connection went away first).
   */
  answer(id, { at, ms, outcome, code, retryAfterMs, gateway, duplicate }) {
    this.#jobs.get(id).answers.push({ at, ms, outcome, code, retryAfterMs, gateway, duplicate });
    this.#close(id);
  }

  /** `client` is who heard it, `clockMs` when it happened by the clock of whoever said so, `code` why the job failed. */
  event(id, { client, at, type, seq, attempt, gateway, clockMs, code }) {
    const job = this.#jobs.get(id);
    if (!job) return;
    (client === job.client ? job.events : job.strays).push({ at, type, seq, attempt, gateway, clockMs, code });
    this.#close(id);
  }

  get(id) {
    return this.#jobs.get(id);
  }

  get open() {
    return this.#open.size;
  }

  /** Everything, in the order of submission. */
  all() {
    return [...this.#jobs.values()];
  }

  #close(id) {
    if (isSettled(this.#jobs.get(id))) this.#open.delete(id);
  }
}

/** Adds it all up. `problems` is empty when every promise was kept; `codes` are those with which a job may have been refused. */
export function balance(jobs, codes = []) {
  const accepted = jobs.filter(isAccepted);
  const refused = jobs.filter(isRefused);
  const refusals = jobs.flatMap((job) => job.answers.filter(({ outcome }) => outcome === 'refused'));
  const wrong = {
    'accepted, but never ended': accepted.filter((job) => ends(job).length === 0 && !job.mayEnd.includes(LOST)),
    'ended more than once': jobs.filter((job) => ends(job).length > 1),
    'ended, but not as it should': accepted.filter((job) => ends(job).some(({ type }) => !job.mayEnd.includes(type))),
    'refused late': jobs.filter((job) => job.answers.some(({ outcome, ms }) => outcome === 'refused' && ms >= REFUSAL_MS)),
    'refused without a reason that there was': jobs.filter((job) => job.answers.some(({ outcome, code }) => outcome === 'refused' && !codes.includes(code))),
    'not answered on a connection that stayed open': jobs.filter((job) => job.answers.some(({ outcome }) => outcome === 'silent')),
    'told to somebody else': jobs.filter(({ strays }) => strays.length > 0),
    'neither accepted nor refused': jobs.filter((job) => !isAccepted(job) && !isRefused(job)),
  };
  return {
    sent: jobs.length,
    accepted: accepted.length,
    refused: refused.length,
    lost: wrong['accepted, but never ended'].length,
    duplicated: wrong['ended more than once'].length,
    /** Refused because nobody could tell whether Pub/Sub had it, and it had. */
    ranThoughRefused: refused.filter((job) => ends(job).length > 0).length,
    /** Accepted while their topic had no subscription, and never seen again. */
    lostByRule: accepted.filter((job) => ends(job).length === 0 && job.mayEnd.includes(LOST)).length,
    slowestRefusalMs: Math.round(Math.max(0, ...refusals.map(({ ms }) => ms))),
    codes: [...new Set(refusals.map(({ code }) => code))],
    problems: Object.entries(wrong).filter(([, found]) => found.length > 0).map(([what, found]) => `${found.length} ${what}: ${found.slice(0, 3).map(inWords).join('; ')}`),
  };
}

function inWords(job) {
  const answers = job.answers.map(({ at, ms, outcome, code, gateway }) => `${code ?? outcome} by ${gateway} after ${Math.round(ms)} ms at ${time(at)}`);
  const events = job.events.map(({ at, type, seq, gateway }) => `${type} ${delivery({ seq })}/${seq % 2 ** 20} by ${gateway} at ${time(at)}`);
  return `${job.id} of client ${job.client} [${[...answers, ...events].join(', ')}]`;
}

const time = (at) => new Date(at).toISOString().slice(11, 23);
