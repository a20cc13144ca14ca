// The page without the gateway's own client bundle takes it from a CDN: only this exact file may run.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { it } from 'node:test';

const read = (path) => readFile(new URL(path, import.meta.url));

it('the integrity of the CDN\'s client is that of the npm package', async () => {
  const cdn = JSON.parse(await read('../../crates/gateway/page/client-cdn.json'));
  const { version } = JSON.parse(await read('../node_modules/socket.io-client/package.json'));
  const bundle = await read('../node_modules/socket.io-client/dist/socket.io.min.js');
  assert.equal(cdn.version, version);
  assert.equal(cdn.url, `https://cdn.jsdelivr.net/npm/socket.io-client@${version}/dist/socket.io.min.js`);
  assert.equal(cdn.integrity, `sha384-${createHash('sha384').update(bundle).digest('base64')}`);
});
