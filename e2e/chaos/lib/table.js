// Prints what the stories left in artifacts/chaos.jsonl as a table.

import { readFileSync } from 'node:fs';

const COLUMNS = {
  story: ({ number, name, passed }) => `${passed ? '' : 'FAILED '}${number}. ${name}`,
  server: ({ server }) => server,
  sent: ({ sent }) => sent,
  accepted: ({ accepted }) => accepted,
  refused: ({ refused }) => refused,
  lost: ({ lost }) => lost,
  duplicated: ({ duplicated }) => duplicated,
  'recovery, s': ({ recoverMs }) => inSeconds(recoverMs),
  'drain, s': ({ drainMs }) => inSeconds(drainMs),
  'machine stalled, s': ({ stallMs }) => inSeconds(stallMs),
};

const lines = readFileSync(new URL('../../../artifacts/chaos.jsonl', import.meta.url), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
lines.sort((a, b) => a.number - b.number || a.server.localeCompare(b.server));
const rows = [Object.keys(COLUMNS), ...lines.map((line) => Object.values(COLUMNS).map((cell) => String(cell(line))))];
const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
for (const [index, row] of rows.entries()) {
  console.log(`| ${row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join(' | ')} |`);
  if (index === 0) console.log(`|${widths.map((width, column) => (column < 2 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`);
}

function inSeconds(ms) {
  return ms === undefined ? '' : (ms / 1_000).toFixed(1);
}
