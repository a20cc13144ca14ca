// A websocket client that asks for a lot and reads nothing, until its TCP window is full.

import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { once } from 'node:events';
import { pause } from './clock.js';

/** More than the kernel takes off the gateway's hands, less than what makes the gateway close the socket. */
const PINGS = 24;
const PING_BYTES = 1 << 20;
/** How long the gateway may take to read all that. */
const SETTLE_MS = 1_500;

/** Connects to a gateway itself, without a load balancer that would read in its place. Resolves when it has asked. */
export async function openFullWindow(url) {
  // The same from one that reads shows what the other one was sent.
  const twin = await ask(url);
  twin.resume();
  const socket = await ask(url);
  let isClosed = false;
  socket.once('close', () => { isClosed = true; });
  await pause(SETTLE_MS);
  return {
    /** Whether the gateway has taken all in and cannot get its answers out: next to nothing was read here. */
    isStuck: () => !isClosed && socket.bytesRead < PING_BYTES && socket.writableLength === 0 && twin.bytesRead > PINGS * PING_BYTES,
    close: () => [socket, twin].forEach((end) => end.destroy()),
  };
}

async function ask(url) {
  const { hostname, port, host } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  await once(socket, 'connect');
  socket.on('error', () => {});
  socket.write([
    'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1', `Host: ${host}`, 'Connection: Upgrade', 'Upgrade: websocket',
    'Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`, '', '',
  ].join('\r\n'));
  await pause(100);
  socket.write(frame('40'));
  const large = 'x'.repeat(PING_BYTES);
  for (let number = 0; number < PINGS; number++) socket.write(frame(`42${number}["ping","${large}"]`));
  return socket;
}

/** A masked text frame; a mask of zeros changes nothing. */
function frame(text) {
  const payload = Buffer.from(text);
  const header = Buffer.alloc(14);
  header[0] = 0x81;
  if (payload.length < 126) {
    header[1] = 0x80 | payload.length;
    return Buffer.concat([header.subarray(0, 2), Buffer.alloc(4), payload]);
  }
  header[1] = 0x80 | 127;
  header.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([header.subarray(0, 10), Buffer.alloc(4), payload]);
}
