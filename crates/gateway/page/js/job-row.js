// One row of the job list. Its elements stay the same while the job changes, so that focus stays where it is.

import { byId, element, say, sayOrHide } from './dom.js';
import { canCancel, canRetry, isFinished } from './job.js';
import { badge, trouble } from './job-words.js';
import { previewFigures, previewsOf } from './previews.js';
import { ago, bytes, duration, moment, time } from './words.js';

const MOST_SHOWN = 4_000;

export class JobRow {
  #job;
  #parts;
  #inside = null;

  constructor(job, { onCancel, onRetry, onOpen }) {
    this.#job = job;
    this.element = byId('job-row').content.cloneNode(true).firstElementChild;
    const find = (selector) => this.element.querySelector(selector);
    this.#parts = {
      lead: find('.job-lead'), title: find('.job-title'), badge: find('.badge'), facts: find('.job-facts'),
      bar: find('progress'), words: find('.job-words'), more: find('.job-more'), inside: find('.job-inside'),
      cancel: find('[data-do=cancel]'), retry: find('[data-do=retry]'),
    };
    const { cancel, retry, more, bar } = this.#parts;
    cancel.addEventListener('click', () => onCancel(job));
    retry.addEventListener('click', () => onRetry(job));
    cancel.setAttribute('aria-label', `Cancel ${this.#name()}`);
    retry.setAttribute('aria-label', `Retry ${this.#name()}`);
    bar.setAttribute('aria-label', `Progress of ${this.#name()}`);
    more.setAttribute('aria-label', `Details of ${this.#name()}`);
    more.addEventListener('click', () => {
      const isOpen = more.getAttribute('aria-expanded') === 'false';
      more.setAttribute('aria-expanded', isOpen);
      this.#parts.inside.hidden = !isOpen;
      if (isOpen) onOpen(job);
      this.update(Date.now());
    });
  }

  update(now) {
    const job = this.#job;
    const { title, facts, words, cancel, retry, inside } = this.#parts;
    this.element.dataset.state = job.state;
    say(title, this.#name());
    say(this.#parts.badge, badge(job));
    say(facts, this.#facts(now));
    facts.title = `Submitted ${moment(job.submittedAt)}`;
    sayOrHide(words, trouble(job, now));
    this.#moveFocusFrom(cancel, canCancel(job) || job.cancelling);
    cancel.disabled = job.cancelling;
    this.#moveFocusFrom(retry, canRetry(job));
    this.#updateBar();
    this.#updateLead();
    if (!inside.hidden) this.#updateInside();
  }

  #name() {
    return this.#job.label ?? `${this.#job.kind}, sent from elsewhere`;
  }

  #facts(now) {
    const job = this.#job;
    const facts = [progressInWords(job), job.kind, ago(now - job.submittedAt)];
    if (job.attempt > 1) facts.push(`attempt ${job.attempt}`);
    return facts.map((fact) => fact.replaceAll(' ', '\u00a0')).join(' · ');
  }

  /** Hides or shows a button; one that is hidden under the keyboard's focus passes it on. */
  #moveFocusFrom(button, isShown) {
    const hadFocus = button === document.activeElement;
    button.hidden = !isShown;
    if (hadFocus && !isShown) this.#parts.more.focus();
  }

  #updateBar() {
    const { bar } = this.#parts;
    const { state, progress } = this.#job;
    bar.hidden = isFinished(this.#job) || state === 'unknown' || state === 'waiting';
    bar.dataset.state = state;
    if (progress === null) bar.removeAttribute('value');
    else bar.value = progress;
  }

  #updateLead() {
    const [smallest] = previewsOf(this.#job);
    const { lead } = this.#parts;
    if (smallest && !lead.firstElementChild) lead.append(element('img', { src: smallest.url, alt: '', width: 44, height: 44 }));
  }

  #updateInside() {
    const job = this.#job;
    const version = `${job.seq} ${job.state} ${job.output === undefined}`;
    if (version === this.#inside) return;
    this.#inside = version;
    this.#parts.inside.replaceChildren(
      element('p', { className: 'quiet' }, 'Job ', element('code', {}, job.id)),
      ...events(job),
      ...result(job),
    );
  }
}

/** Continues the badge: "Done in 20 ms", "Running 40 %". */
function progressInWords(job) {
  const took = duration(job.finishedAt - job.submittedAt);
  if (job.state === 'succeeded') return `in ${took}`;
  if (job.state === 'failed' || job.state === 'cancelled') return `after ${took}`;
  return job.state === 'running' && job.progress !== null ? `${Math.round(job.progress * 100)} %` : '';
}

function events({ log }) {
  if (log.length === 0) return [];
  const line = ({ type, seq, attempt, at }) => element('li', {},
    element('time', { dateTime: new Date(at).toISOString() }, time(at)), ` ${type} `,
    element('span', { className: 'quiet' }, `attempt ${attempt}, seq ${seq}`));
  return [element('ol', { className: 'log' }, ...log.map(line))];
}

function result(job) {
  if (job.state !== 'succeeded') return [];
  if (job.output === undefined) return [element('p', { className: 'quiet' }, 'Asking for the result…')];
  if (job.output === null) return [element('p', { className: 'quiet' }, 'The result is no longer kept.')];
  const figures = previewFigures(job);
  if (figures.length) return [element('div', { className: 'previews' }, ...figures)];
  return [element('pre', { tabIndex: 0 }, asText(job.output))];
}

function asText(output) {
  if (output instanceof ArrayBuffer) return `${bytes(output.byteLength)} of binary`;
  const text = JSON.stringify(output, (_, value) => (value instanceof ArrayBuffer ? `<${bytes(value.byteLength)}>` : value), 2);
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
}
