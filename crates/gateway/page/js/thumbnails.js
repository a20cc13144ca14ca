// A picture chosen, dropped, pasted or painted becomes a thumbnail job; the stage shows the newest one.

import { byId, say, sayOrHide } from './dom.js';
import { isFinished } from './job.js';
import { jobInWords } from './job-words.js';
import { paint } from './painting.js';
import { previewFigures, previewsOf } from './previews.js';
import { bytes } from './words.js';

const WIDTHS = [64, 256, 1024];
const TICK_MS = 1_000;

export class Thumbnails {
  #connection;
  #jobs;
  #staged = null;
  #shown = null;

  constructor(connection, jobs) {
    this.#connection = connection;
    this.#jobs = jobs;
    this.#stage(jobs.all().findLast((job) => job.kind === 'thumbnail' && !job.foreign));
    jobs.addEventListener('change', ({ detail }) => this.#onChange(detail));
    jobs.addEventListener('forget', ({ detail }) => detail === this.#staged && this.#stage(null));
    connection.addEventListener('change', () => this.#showLimit());
    this.#listen();
    setInterval(() => this.#show(), TICK_MS);
  }

  #listen() {
    const input = byId('picture');
    input.addEventListener('change', () => {
      this.#submitAll([...input.files]);
      // So that choosing the same file again is a change too.
      input.value = '';
    });
    byId('sample').addEventListener('click', async () => this.#submitAll([await paint()]));
    addEventListener('paste', ({ clipboardData }) => {
      if (clipboardData?.files.length) this.#submitAll([...clipboardData.files]);
    });
    this.#listenToDrops();
  }

  /** The whole window takes drops: a near miss must not make the browser leave the page to open the file. */
  #listenToDrops() {
    const zone = document.querySelector('.drop');
    const carriesFiles = (event) => event.dataTransfer?.types.includes('Files');
    addEventListener('dragover', (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      zone.classList.add('is-over');
    });
    addEventListener('dragleave', (event) => event.relatedTarget ?? zone.classList.remove('is-over'));
    addEventListener('drop', (event) => {
      zone.classList.remove('is-over');
      if (!carriesFiles(event)) return;
      event.preventDefault();
      this.#submitAll([...event.dataTransfer.files]);
    });
  }

  async #submitAll(files) {
    const problems = [];
    for (const file of files) {
      const problem = this.#problemWith(file);
      if (problem) problems.push(problem);
      else await this.#submit(file).catch(() => problems.push(`${file.name} could not be read.`));
    }
    sayOrHide(byId('picture-problem'), problems.join(' '));
  }

  #problemWith(file) {
    if (!file.type.startsWith('image/')) return `${file.name} is not a picture.`;
    const limit = this.#limit();
    return limit && file.size > limit ? `${file.name} has ${bytes(file.size)}; a job may carry ${bytes(limit)}.` : null;
  }

  async #submit(file) {
    const payload = { image: await file.arrayBuffer(), widths: WIDTHS };
    this.#stage(this.#jobs.submit({ kind: 'thumbnail', payload, label: file.name || 'Pasted picture' }));
  }

  #limit() {
    return this.#connection.welcome?.limits?.maxPayloadBytes;
  }

  #showLimit() {
    const limit = this.#limit();
    if (limit) say(byId('picture-limit'), `JPEG, PNG, WebP or GIF, up to ${bytes(limit)}`);
  }

  #onChange(job) {
    if (job.kind !== 'thumbnail') return;
    if (job === this.#staged) this.#show();
    else if (!job.foreign && job.submittedAt > (this.#staged?.submittedAt ?? 0)) this.#stage(job);
  }

  #stage(job) {
    this.#staged = job;
    this.#show();
  }

  #show() {
    const job = this.#staged;
    byId('stage').hidden = !job;
    if (!job) return;
    say(byId('stage-name'), job.label ?? job.id);
    say(byId('stage-state'), jobInWords(job, Date.now()));
    this.#showProgress(job);
    const key = previewsOf(job).length ? job.id : null;
    if (key === this.#shown) return;
    this.#shown = key;
    byId('stage-previews').replaceChildren(...previewFigures(job));
  }

  #showProgress(job) {
    const bar = byId('stage-progress');
    bar.dataset.state = job.state;
    if (isFinished(job)) bar.value = 1;
    else if (job.state === 'waiting') bar.value = 0;
    else if (job.progress !== null) bar.value = job.progress;
    else bar.removeAttribute('value');
  }
}
