// The round trips of the last minute. Pure.

export const WINDOW_MS = 60_000;

export class Samples {
  #samples = [];

  /** `ms` is null for an echo that did not come back. Moments are milliseconds on any one clock. */
  add(at, ms) {
    this.#samples.push({ at, ms });
  }

  since(now) {
    this.#samples = this.#samples.filter(({ at }) => now - at <= WINDOW_MS);
    return this.#samples;
  }
}

/** Last, median and p99 in milliseconds (null without samples), and how many came back or did not. */
export function summary(samples) {
  const times = samples.filter(({ ms }) => ms !== null).map(({ ms }) => ms);
  const sorted = [...times].sort((a, b) => a - b);
  return {
    last: times.at(-1) ?? null,
    median: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    returned: times.length,
    missing: samples.length - times.length,
  };
}

/** Nearest rank: always a value that was measured. */
function quantile(sorted, q) {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? null;
}
