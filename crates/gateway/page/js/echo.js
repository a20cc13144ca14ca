// Echo jobs and the time their round trip takes, from the click until `succeeded`.

import { Chart } from './chart.js';
import { byId, element, say } from './dom.js';
import { isFinished } from './job.js';
import { Samples, summary, WINDOW_MS } from './samples.js';
import { duration, plural } from './words.js';

const PERIOD_MS = 1_000;
/** The repeated echo pauses while this many have not come back: an outage must not end in a flood. */
const MOST_OUTSTANDING = 5;
/** A repeated echo that takes longer is counted as missing. */
const PATIENCE_MS = 10_000;

/** What the echo worker can be asked to do; only plain echoes are timed. */
const BEHAVIOURS = [
  ['answer at once', null],
  ['take 10 seconds, reporting progress', { sleepMs: 10_000, steps: 20 }],
  ['fail twice, then answer', { failTimes: 2 }],
  ['fail for good', { failCode: 'out_of_luck' }],
  ['panic', { panic: 'as requested' }],
];

export class Echo {
  #jobs;
  #samples = new Samples();
  #sent = new Map();
  #chart;
  #timer = null;

  constructor(jobs) {
    this.#jobs = jobs;
    byId('echo-behaviour').append(...BEHAVIOURS.map(([text], index) => element('option', { value: index }, text)));
    this.#chart = new Chart(document.querySelector('#chart svg'), () => this.#draw());
    byId('echo-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#send();
    });
    byId('echo-repeat').addEventListener('change', ({ target }) => this.#repeat(target.checked));
    jobs.addEventListener('change', ({ detail }) => this.#onChange(detail));
    setInterval(() => this.#tick(), PERIOD_MS);
  }

  #send() {
    const [, options] = BEHAVIOURS[byId('echo-behaviour').value];
    const text = byId('echo-text').value;
    const clickedAt = performance.now();
    const job = this.#jobs.submit({ kind: 'echo', payload: options ? { text, echo: options } : { text }, label: text || 'An empty echo' });
    if (!options) this.#sent.set(job.id, clickedAt);
  }

  #repeat(isOn) {
    clearInterval(this.#timer);
    this.#timer = isOn ? setInterval(() => this.#beat(), PERIOD_MS) : null;
    if (isOn) this.#beat();
  }

  /** Repeated echoes are plotted, not listed. */
  #beat() {
    if (this.#sent.size >= MOST_OUTSTANDING) return;
    const sentAt = performance.now();
    const job = this.#jobs.submit({ kind: 'echo', payload: { metronome: true }, label: 'Echo', listed: false });
    if (!isFinished(job)) this.#sent.set(job.id, sentAt);
  }

  #onChange(job) {
    const sentAt = this.#sent.get(job.id);
    if (sentAt === undefined || !isFinished(job)) return;
    this.#sent.delete(job.id);
    const now = performance.now();
    if (job.state !== 'cancelled') this.#samples.add(now, job.state === 'succeeded' ? now - sentAt : null);
    this.#draw();
  }

  #tick() {
    const now = performance.now();
    for (const [id, sentAt] of this.#sent) {
      if (now - sentAt < PATIENCE_MS || this.#jobs.get(id)?.listed) continue;
      this.#sent.delete(id);
      this.#jobs.giveUp(id);
      this.#samples.add(now, null);
    }
    this.#draw();
  }

  #draw() {
    const now = performance.now();
    const samples = this.#samples.since(now);
    const { last, median, p99, returned, missing } = summary(samples);
    const show = (id, ms) => say(byId(id), ms === null ? '–' : duration(ms));
    show('echo-last', last);
    show('echo-median', median);
    show('echo-p99', p99);
    byId('chart-empty').hidden = samples.length > 0;
    say(byId('chart-summary'), samples.length === 0 ? '' : inWords({ last, median, returned, missing }));
    this.#chart.draw(samples, now);
  }
}

function inWords({ last, median, returned, missing }) {
  const lost = missing ? ` ${plural(missing, 'echo', 'echoes')} did not come back.` : '';
  const times = returned ? ` The last took ${duration(last)}, the median is ${duration(median)}.` : '';
  return `${plural(returned, 'echo', 'echoes')} in the last ${WINDOW_MS / 1000} seconds.${times}${lost}`;
}
