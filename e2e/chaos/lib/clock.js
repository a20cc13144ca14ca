// Moments that mean the same in every process of a run, and waiting that ends.

import { setTimeout as pause } from 'node:timers/promises';

export { pause };

/** Milliseconds since 1970 by a clock that never jumps. */
export const now = () => performance.timeOrigin + performance.now();

export const seconds = (number) => number * 1_000;

/** Resolves with what `check` yields as soon as that is true; throws when that takes longer than `ms`. */
export async function until(check, what, ms) {
  const deadline = now() + ms;
  for (;;) {
    const found = await check();
    if (found) return found;
    if (now() > deadline) throw new Error(`waited ${ms} ms for ${typeof what === 'function' ? await what() : what}`);
    await pause(25);
  }
}
