// A TCP proxy that can be cut: an outage of whatever is behind it, without touching that.

import { connect, createServer } from 'node:net';
import { once } from 'node:events';

/** `target` is `host:port`. Resolves to `{ address, cut, heal, close }`. */
export async function startProxy(target) {
  const [host, port] = target.split(':');
  const open = new Set();
  let isCut = false;
  const server = createServer((client) => {
    if (isCut) return client.destroy();
    const upstream = connect(Number(port), host);
    for (const [from, to] of [[client, upstream], [upstream, client]]) {
      open.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => { open.delete(from); to.destroy(); });
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const drop = () => open.forEach((socket) => socket.destroy());
  return {
    address: `127.0.0.1:${server.address().port}`,
    cut() { isCut = true; drop(); },
    heal() { isCut = false; },
    close() { server.close(); drop(); },
  };
}
