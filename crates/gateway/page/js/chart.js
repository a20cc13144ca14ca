// Draws round trips over the last minute as SVG, at the size the page gives it.

import { WINDOW_MS } from './samples.js';
import { logScale, position } from './scale.js';
import { duration } from './words.js';

const NAMESPACE = 'http://www.w3.org/2000/svg';
const MARGIN = { top: 10, right: 12, bottom: 24, left: 54 };
/** Echoes further apart than this are not joined: the line would claim to know what happened between them. */
const LONGEST_JOINED_MS = 5_000;
const EMPTY_SCALE = { from: 1, to: 10, ticks: [] };
const MOMENTS = [[60_000, '60 s ago', 'start'], [30_000, '30 s ago', 'middle'], [0, 'now', 'end']];

export class Chart {
  #svg;
  #width = 0;
  #height = 0;

  constructor(svg, onResize) {
    this.#svg = svg;
    new ResizeObserver(([{ contentRect }]) => {
      this.#width = Math.round(contentRect.width);
      this.#height = Math.round(contentRect.height);
      svg.setAttribute('viewBox', `0 0 ${this.#width} ${this.#height}`);
      onResize();
    }).observe(svg);
  }

  draw(samples, now) {
    if (this.#width === 0) return;
    const times = samples.filter(({ ms }) => ms !== null).map(({ ms }) => ms);
    const scale = times.length ? logScale(times) : EMPTY_SCALE;
    const plot = this.#plot(scale, now);
    this.#svg.replaceChildren(...axes(plot, scale), ...lines(plot, samples), ...samples.map((sample, at) => mark(plot, sample, at === samples.length - 1)));
  }

  #plot(scale, now) {
    const left = MARGIN.left;
    const right = this.#width - MARGIN.right;
    const top = MARGIN.top;
    const bottom = this.#height - MARGIN.bottom;
    return {
      left, right, top, bottom,
      x: (at) => right - ((now - at) / WINDOW_MS) * (right - left),
      y: (ms) => bottom - position(scale, ms) * (bottom - top),
      ageX: (age) => right - (age / WINDOW_MS) * (right - left),
    };
  }
}

function shape(name, attributes, text) {
  const node = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text) node.textContent = text;
  return node;
}

function axes({ left, right, bottom, y, ageX }, { ticks }) {
  const horizontal = ticks.flatMap((tick) => [
    shape('line', { class: 'grid', x1: left, x2: right, y1: y(tick), y2: y(tick) }),
    shape('text', { class: 'label', x: left - 8, y: y(tick), 'text-anchor': 'end', 'dominant-baseline': 'middle' }, duration(tick)),
  ]);
  const moments = MOMENTS.map(([age, text, anchor]) =>
    shape('text', { class: 'label', x: ageX(age), y: bottom + 18, 'text-anchor': anchor }, text));
  const baseline = shape('line', { class: 'grid', x1: left, x2: right, y1: bottom, y2: bottom });
  return [baseline, ...horizontal, ...moments];
}

function lines({ x, y }, samples) {
  const runs = [];
  let previous = null;
  for (const sample of samples) {
    if (sample.ms === null) {
      previous = null;
      continue;
    }
    if (!previous || sample.at - previous.at > LONGEST_JOINED_MS) runs.push([]);
    runs.at(-1).push(`${x(sample.at).toFixed(1)},${y(sample.ms).toFixed(1)}`);
    previous = sample;
  }
  return runs.filter((run) => run.length > 1).map((run) => shape('polyline', { class: 'line', points: run.join(' ') }));
}

/** A dot for an echo that came back, a cross at the top for one that did not: told apart by shape, not by colour alone. */
function mark({ x, y, top }, { at, ms }, isLast) {
  const middle = x(at);
  if (ms !== null) return shape('circle', { class: isLast ? 'dot is-last' : 'dot', cx: middle, cy: y(ms), r: isLast ? 4.5 : 2.5 });
  const d = `M${middle - 4} ${top}l8 8m0-8l-8 8`;
  return shape('path', { class: 'miss', d });
}
