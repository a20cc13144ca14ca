// The list of this session's jobs, newest first.

import { byId, say } from './dom.js';
import { isFinished } from './job.js';
import { jobInWords } from './job-words.js';
import { JobRow } from './job-row.js';
import { releasePreviews } from './previews.js';
import { plural } from './words.js';

const TICK_MS = 1_000;

export class JobList {
  #jobs;
  #rows = new Map();

  constructor(connection, jobs) {
    this.#jobs = jobs;
    jobs.all().forEach((job) => this.#show(job));
    this.#count();
    jobs.addEventListener('change', ({ detail }) => this.#onChange(detail));
    jobs.addEventListener('forget', ({ detail }) => this.#remove(detail));
    // Results are not kept in the browser. Those of pictures are part of the list, the others are fetched when somebody looks.
    connection.addEventListener('ready', () => {
      for (const job of jobs.all()) if (job.kind === 'thumbnail') jobs.load(job);
    });
    byId('clear').addEventListener('click', () => {
      jobs.clearFinished();
      byId('jobs').focus();
    });
    setInterval(() => this.#rows.forEach((row) => row.update(Date.now())), TICK_MS);
  }

  #onChange(job) {
    if (!job.listed) return;
    const wasFinished = this.#rows.get(job.id)?.wasFinished ?? false;
    const row = this.#show(job);
    row.wasFinished = isFinished(job);
    if (row.wasFinished && !wasFinished) say(byId('announcer'), `${job.label ?? job.kind}: ${jobInWords(job, Date.now())}`);
    this.#count();
  }

  #show(job) {
    let row = this.#rows.get(job.id);
    if (!row) {
      row = new JobRow(job, {
        onCancel: (cancelled) => this.#jobs.cancel(cancelled),
        onRetry: (failed) => this.#retry(failed),
        onOpen: (opened) => this.#jobs.load(opened),
      });
      row.wasFinished = isFinished(job);
      this.#rows.set(job.id, row);
      byId('job-list').prepend(row.element);
    }
    row.update(Date.now());
    return row;
  }

  async #retry(job) {
    if (await this.#jobs.retry(job)) return;
    job.problem = { message: 'Its content is no longer in this browser; please choose it again' };
    this.#rows.get(job.id)?.update(Date.now());
  }

  #remove(job) {
    this.#rows.get(job.id)?.element.remove();
    this.#rows.delete(job.id);
    releasePreviews(job);
    this.#count();
  }

  #count() {
    const all = this.#jobs.all();
    const open = all.filter((job) => !isFinished(job)).length;
    say(byId('jobs-count'), open ? `${open} under way` : '');
    byId('jobs-count').title = plural(all.length, 'job', 'jobs');
    byId('clear').disabled = open === all.length;
    byId('jobs-empty').hidden = all.length > 0;
  }
}
