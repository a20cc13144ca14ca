// Numbers, moments and error codes as a person would say them.

const number = (digits) => new Intl.NumberFormat('en', { maximumFractionDigits: digits, minimumFractionDigits: 0 });
const whole = number(0);
const tenths = number(1);
const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit', second: '2-digit' });
const dateAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

export function duration(ms) {
  if (ms < 9.95) return `${tenths.format(Math.max(ms, 0))} ms`;
  if (ms < 999.5) return `${whole.format(ms)} ms`;
  if (ms < 59_500) return `${tenths.format(ms / 1000)} s`;
  const minutes = Math.round(ms / 60_000);
  if (minutes < 60) return `${minutes} min`;
  return `${tenths.format(minutes / 60)} h`;
}

export function bytes(count) {
  if (count < 1000) return `${count} bytes`;
  if (count < 999_500) return `${whole.format(count / 1000)} kB`;
  return `${tenths.format(count / 1_000_000)} MB`;
}

export function ago(ms) {
  if (ms < 5_000) return 'just now';
  if (ms < 60_000) return `${Math.floor(ms / 1000)} s ago`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ago`;
  return `on ${dateAndTime.format(Date.now() - ms)}`;
}

export const time = (at) => clock.format(at);
export const moment = (at) => dateAndTime.format(at);
const capitalised = (text) => text[0].toUpperCase() + text.slice(1);
export const plural = (count, one, many) => `${whole.format(count)} ${count === 1 ? one : many}`;

const REASONS = {
  invalid_request: 'The gateway did not understand this request',
  unknown_kind: 'Nobody here does jobs of this kind',
  payload_too_large: 'This is larger than the gateway accepts',
  unauthorized: 'The gateway does not recognise this session',
  forbidden: 'This session may not do that',
  rate_limited: 'That was a bit fast for the gateway',
  too_many_jobs: 'Too many jobs of this session are under way',
  queue_unavailable: 'The queue is out of reach just now',
  draining: 'This gateway is leaving and takes no new jobs',
  not_found: 'The gateway does not remember this job',
  internal: 'Something went wrong on the server',
  timeout: 'The gateway did not answer in time',
  offline: 'There is no connection just now',
};

/** Codes to which the server's own sentence adds nothing for a person. */
const SAY_IT_ALL = new Set(['queue_unavailable', 'draining', 'rate_limited', 'too_many_jobs', 'not_found']);

/** An error in words, without a full stop. A worker's own codes mean something to its authors, so they are shown as well. */
export function reason({ code, message }) {
  const detail = message?.replace(/\.$/, '');
  const known = REASONS[code];
  if (known) return detail && !SAY_IT_ALL.has(code) ? `${known} (${detail})` : known;
  return capitalised(detail && code ? `${detail} (${code})` : detail || code || 'Something went wrong');
}
