// The jobs of this session: follows their events, keeps them over a reload, picks them up after every connect.

import { newId } from './id.js';
import * as inputs from './inputs.js';
import { applyEvent, applyResumed, applyView, fromRecord, isFinished, isUnaccepted, newJob, toRecord } from './job.js';
import { Offers } from './offers.js';
import { forgetJob, hasJob, loadJobs, saveJob, watchOtherTabs } from './session.js';

/** Older finished jobs leave the list, so that neither it nor the browser's storage grows without end. */
const MOST_LISTED = 60;

/** Events: `change` (detail: the job), `forget` (detail: the job). */
export class Jobs extends EventTarget {
  #connection;
  #jobs = new Map();
  #offers;

  constructor(connection) {
    super();
    this.#connection = connection;
    this.#offers = new Offers(connection, (job) => this.#changed(job));
    for (const record of loadJobs()) this.#jobs.set(record.id, fromRecord(record));
    inputs.dropUnless((id) => this.#jobs.has(id) || hasJob(id));
    connection.addEventListener('ready', () => this.#pickUp());
    connection.addEventListener('job', ({ detail }) => this.#onEvent(detail));
    watchOtherTabs((record) => this.#adopt(record), (id) => this.#forget(this.#jobs.get(id)));
  }

  /** Oldest first. */
  all() {
    return [...this.#jobs.values()].filter((job) => job.listed);
  }

  get(id) {
    return this.#jobs.get(id);
  }

  /**
   * Submits a job under an id made here, which makes repeating it safe. Returns the job at once.
   * A job that is not `listed` is neither shown, kept, nor offered twice.
   */
  submit({ kind, payload, label, listed = true }) {
    const job = newJob({ id: newId(), kind, label, listed, now: Date.now() });
    this.#jobs.set(job.id, job);
    if (listed) {
      inputs.keep(job.id, payload);
      this.#makeRoom();
    }
    this.#changed(job);
    this.#offers.offer(job, payload);
    return job;
  }

  /** The same work as a new job. Returns null when the payload is gone. */
  async retry(job) {
    const payload = await inputs.fetchInput(job.id);
    return payload === undefined ? null : this.submit({ kind: job.kind, payload, label: job.label });
  }

  async cancel(job) {
    if (isUnaccepted(job)) {
      // Withdrawn here. Should a lost ack have hidden that it was accepted, the server is told as well.
      job.state = 'cancelled';
      job.finishedAt = Date.now();
      this.#changed(job);
      this.#connection.request('job:cancel', { id: job.id }).catch(() => {});
      return;
    }
    job.cancelling = true;
    job.problem = null;
    this.#changed(job);
    try {
      await this.#connection.request('job:cancel', { id: job.id });
    } catch (error) {
      job.cancelling = false;
      job.problem = error.wire;
      this.#changed(job);
    }
  }

  /** Fetches the result of a job that finished before this page was loaded. */
  load(job) {
    const isMissing = isFinished(job) && job.state !== 'refused' && job.output === undefined;
    return isMissing ? this.#fetch(job) : undefined;
  }

  /** Stops following a job that is not listed. */
  giveUp(id) {
    this.#jobs.delete(id);
  }

  clearFinished() {
    for (const job of this.all()) if (isFinished(job)) this.#forget(job);
  }

  clear() {
    for (const job of this.#jobs.values()) this.#forget(job);
  }

  /** After every connect: offers what no gateway has accepted, and asks for what happened to the rest meanwhile. */
  async #pickUp() {
    const accepted = [];
    for (const job of this.#jobs.values()) {
      if (isUnaccepted(job)) {
        if (!job.borrowed) this.#offers.offer(job);
      } else if (!isFinished(job)) {
        accepted.push({ id: job.id, seq: job.seq });
      }
    }
    if (accepted.length === 0) return;
    try {
      const { jobs } = await this.#connection.request('job:resume', { jobs: accepted });
      jobs.forEach((answer) => this.#onResumed(answer));
    } catch {
      // The connection went again; the next `ready` asks again.
    }
  }

  #onResumed({ id, state, recovered }) {
    const job = this.#jobs.get(id);
    if (!job || isFinished(job)) return;
    // Its events follow by themselves when they are still there. When only the end is remembered, it has to be fetched.
    const endIsOverdue = applyResumed(job, { state, recovered });
    // Whether the wish to cancel was heard is not known; it may be repeated.
    job.cancelling = false;
    this.#changed(job);
    if (endIsOverdue) this.#fetch(job);
  }

  #onEvent(event) {
    const job = this.#jobs.get(event.jobId) ?? this.#welcomeForeign(event);
    if (!job || !applyEvent(job, event, Date.now())) return;
    this.#changed(job);
  }

  /** A job that another tab or service submitted for this session. */
  #welcomeForeign(event) {
    // The once-a-second echoes of other tabs would drown everything else; only their result tells them apart.
    if (event.kind === 'echo' && (event.type === 'started' || event.data?.metronome)) return null;
    const job = newJob({ id: event.jobId, kind: event.kind, label: null, foreign: true, now: Date.parse(event.at) || Date.now() });
    job.state = 'queued';
    this.#jobs.set(job.id, job);
    this.#makeRoom();
    return job;
  }

  /** A job of another tab. Getting it accepted is that tab's business; from then on both hear its events. */
  #adopt(record) {
    const known = this.#jobs.get(record.id);
    if (known && !(known.borrowed && isUnaccepted(known))) return;
    const job = Object.assign(known ?? fromRecord(record), record, { borrowed: true });
    this.#jobs.set(job.id, job);
    this.dispatchEvent(new CustomEvent('change', { detail: job }));
  }

  async #fetch(job) {
    if (job.loading) return;
    job.loading = true;
    try {
      const { job: view } = await this.#connection.request('job:get', { id: job.id });
      applyView(job, view, Date.now());
      if (isFinished(job)) job.output ??= null;
    } catch (error) {
      if (error.code === 'not_found') job.output = null;
    }
    job.loading = false;
    this.#changed(job);
  }

  #changed(job) {
    if (job.listed) saveJob(toRecord(job));
    else if (isFinished(job)) this.#jobs.delete(job.id);
    this.dispatchEvent(new CustomEvent('change', { detail: job }));
  }

  #makeRoom() {
    const listed = this.all();
    const finished = listed.filter(isFinished);
    for (const job of finished.slice(0, Math.max(0, listed.length - MOST_LISTED))) this.#forget(job);
  }

  #forget(job) {
    if (!job) return;
    this.#jobs.delete(job.id);
    forgetJob(job.id);
    inputs.drop(job.id);
    this.dispatchEvent(new CustomEvent('forget', { detail: job }));
  }
}
