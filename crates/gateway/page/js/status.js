// The three vitals at the top: connection, queue and memory, in words a person understands.

import { byId, say } from './dom.js';
import { moment, reason } from './words.js';

const CONNECTION = {
  connecting: { tone: 'wait', text: 'Connecting…', note: 'Looking for a gateway' },
  reconnecting: { tone: 'wait', text: 'Reconnecting…', note: 'The connection is gone. Jobs go on without it' },
  refused: { tone: 'bad', text: 'Turned away' },
};
const QUEUE = {
  up: { tone: 'good', text: 'Accepting jobs', note: 'Pub/Sub is up' },
  down: { tone: 'bad', text: 'Out of reach', note: 'Pub/Sub is down. Accepted jobs are safe, new ones are offered until it is back' },
};
const MEMORY = {
  up: { tone: 'good', text: 'Remembers for hours', note: 'Redis is up' },
  down: { tone: 'wait', text: 'Remembers for minutes', note: 'Redis is away. Progress comes in larger steps, nothing is lost' },
  off: { tone: 'none', text: 'Remembers for minutes', note: 'Redis is off. Progress comes in larger steps, nothing is lost' },
};
const UNKNOWN = { tone: 'none', text: 'Not known just now', note: '' };

export function showStatus(connection, jobs) {
  connection.addEventListener('change', () => {
    const isLive = connection.state === 'connected' || connection.state === 'draining';
    const status = (isLive && connection.status) || {};
    show('connection', connectionInWords(connection));
    show('queue', QUEUE[status.pubsub] ?? UNKNOWN);
    show('memory', memoryInWords(status));
    if (connection.welcome) say(byId('session-text'), sessionInWords(connection.welcome.session));
    document.title = isLive ? 'Mayfly' : `${CONNECTION[connection.state].text} – Mayfly`;
  });
  byId('forget-session').addEventListener('click', () => {
    jobs.clear();
    connection.startOver();
  });
}

function show(name, { tone, text, note }) {
  byId(`vital-${name}`).dataset.tone = tone;
  say(byId(`${name}-text`), text);
  say(byId(`${name}-note`), note);
}

function connectionInWords({ state, hostname, transport, welcome, problem }) {
  if (state === 'connected') {
    const version = welcome?.version ? `, version ${welcome.version}` : '';
    return { tone: 'good', text: `Connected ${hostname}`, note: `By ${transport}${version}` };
  }
  if (state === 'draining') {
    return { tone: 'wait', text: `Connected ${hostname}`, note: 'This gateway is leaving. The page moves to another by itself' };
  }
  return state === 'refused' ? { ...CONNECTION.refused, note: reason(problem) } : CONNECTION[state];
}

function memoryInWords({ redis, history }) {
  const words = MEMORY[redis] ?? UNKNOWN;
  // Where retained events could not be read back, this gateway remembers only what it has seen itself.
  return redis !== 'up' && history === 'cold' ? { ...words, text: 'Remembers since its start' } : words;
}

function sessionInWords({ id, expiresAt }) {
  const until = Number.isNaN(Date.parse(expiresAt)) ? '' : `, good until ${moment(Date.parse(expiresAt))}`;
  return `Session ${id}${until}`;
}
