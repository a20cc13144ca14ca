// A logarithmic scale: one slow round trip must not flatten all the others. Pure.

const STEPS = [1, 2, 5];

/** Bounds and gridlines for `values` (positive): the bounds are gridlines too, and there are three to about seven. */
export function logScale(values) {
  const lowest = Math.max(Math.min(...values), 0.1);
  const highest = Math.max(...values, lowest);
  const from = roundDown(lowest * 0.8);
  const to = roundUp(Math.max(highest * 1.2, from * 4));
  const isWide = to / from > 100;
  return { from, to, ticks: gridlines(from, to).filter((tick) => !isWide || isDecade(tick) || tick === from || tick === to) };
}

/** Where `value` lies between the bounds: 0 at `from`, 1 at `to`. */
export function position({ from, to }, value) {
  const share = Math.log(value / from) / Math.log(to / from);
  return Math.min(Math.max(share, 0), 1);
}

function gridlines(from, to) {
  const lines = [];
  for (let decade = Math.floor(Math.log10(from) + 1e-9); 10 ** decade <= to * 1.001; decade++) {
    lines.push(...STEPS.map((step) => Number((step * 10 ** decade).toPrecision(1))));
  }
  return lines.filter((line) => line >= from * 0.999 && line <= to * 1.001);
}

function roundDown(value) {
  const decade = 10 ** Math.floor(Math.log10(value));
  const step = STEPS.findLast((candidate) => candidate * decade <= value) ?? 1;
  return Number((step * decade).toPrecision(1));
}

function roundUp(value) {
  const decade = 10 ** Math.floor(Math.log10(value));
  const step = STEPS.find((candidate) => candidate * decade >= value) ?? 10;
  return Number((step * decade).toPrecision(1));
}

const isDecade = (value) => Number.isInteger(Number(Math.log10(value).toFixed(6)));
