// One service of Mayfly from its own binary: a child that says where it serves.

import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { BINARY, surroundings } from './mayfly.js';

const START_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 20_000;

/** The children's end must not outlive the test run, whatever ended that. */
const children = new Set();
process.once('exit', () => children.forEach((child) => child.kill('SIGKILL')));

/** Starts `target/debug/mayfly-NAME` beside the mayfly binary; resolves with what `ready` finds in its first lines. */
export async function startService(name, env, ready) {
  const command = join(dirname(BINARY), `mayfly-${name}`);
  const child = spawn(command, [], { env: { ...surroundings(), ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  const log = [];
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)));
  ended.then(() => children.delete(child));
  const found = await new Promise((resolve, reject) => {
    const fail = (why) => reject(new Error(`${command} ${why}; it said:\n${log.slice(-40).join('\n')}`));
    const timer = setTimeout(() => fail('did not start in time'), START_DEADLINE_MS);
    child.once('error', (error) => fail(`cannot run: ${error.message}`));
    child.once('exit', (code) => fail(`ended with ${code}`));
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        log.push(line);
        const match = line.match(ready);
        if (!match) return;
        clearTimeout(timer);
        resolve(match[1]);
      });
    }
  });
  return {
    found,
    log,
    pid: child.pid,
    /** Resolves to the exit code, or to the signal that ended it. */
    ended,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    signal: (signal) => child.kill(signal),
    /** Ends it by SIGTERM and throws unless it leaves by itself with exit code 0. */
    async stop() {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
      const end = await ended;
      clearTimeout(late);
      if (end !== 0) throw new Error(`${command} ended with ${end} after SIGTERM; it said:\n${log.slice(-40).join('\n')}`);
    },
    /** Ends it without a word to anybody. */
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
