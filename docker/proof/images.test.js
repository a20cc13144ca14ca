// What is in the images, and what is not.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { docker, files, inspect, services } from './engine.js';

/** In bytes, uncompressed. */
const MAX_SIZE = 40_000_000;
const HARDENED = ['--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges', '--network=none'];
const SHELLS = /(^|\/)(sh|bash|dash|ash|zsh|busybox|perl\d?|python[\d.]*)$/;
const CLIENT = 'usr/share/socket.io-client/';

for (const { name, image } of services().filter(({ build }) => build)) {
  describe(`the image of ${name}`, () => {
    let about;
    let contents;
    before(async () => {
      about = await inspect(image);
      contents = await files(image);
    });

    it('is small', (test) => {
      test.diagnostic(`${(about.Size / 1e6).toFixed(1)} MB`);
      assert.ok(about.Size < MAX_SIZE, `${about.Size} bytes`);
    });

    it('runs as a number that is no user of any host', () => {
      assert.match(about.Config.User, /^\d+:\d+$/);
      assert.ok(Number(about.Config.User.split(':')[0]) > 10_000);
    });

    it('starts its one program directly, and no shell could do it', () => {
      assert.deepEqual([about.Config.Entrypoint, about.Config.Cmd], [[`/usr/local/bin/${program(name)}`], null]);
      assert.deepEqual(contents.filter(({ path }) => SHELLS.test(path)), []);
    });

    it('has nothing that would give its user more rights', () => {
      assert.deepEqual(contents.filter(({ mode }) => /^-.{2}s|^-.{5}s/.test(mode)), []);
    });

    it('has nothing of its own but its program, and the gateway the client', () => {
      const ours = contents.map(({ path }) => path).filter((path) => /^usr\/(local\/bin|share\/socket\.io-client)\/./.test(path));
      assert.deepEqual(ours.filter((path) => !path.startsWith(CLIENT)), [`usr/local/bin/${program(name)}`]);
      assert.equal(ours.includes(`${CLIENT}socket.io.min.js`), name === 'gateway');
    });

    it('says what it is', async () => {
      const { Labels: labels } = about.Config;
      const label = (key) => labels[`org.opencontainers.image.${key}`];
      assert.equal(label('title'), `mayfly-${name}`);
      assert.equal(label('revision'), process.env.REVISION);
      const said = await docker('run', '--rm', ...HARDENED, image, '--version');
      assert.equal(said.split(' ').at(-1), label('version'));
    });
  });
}

function program(service) {
  return service === 'mayfly' ? service : `mayfly-${service}`;
}
