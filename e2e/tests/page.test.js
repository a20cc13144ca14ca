// The page in a real browser, used as a person uses it.

import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it } from 'node:test';
import { connected, dropFile, openPage, startChromium } from '../lib/browser.js';
import { startMayfly } from '../lib/mayfly.js';
import { png } from '../lib/picture.js';

const ARTIFACTS = fileURLToPath(new URL('../../artifacts/', import.meta.url));
const PICTURE = { name: 'meadow.png', type: 'image/png', content: png(1500, 900) };
const IN_TEN_SECONDS = 'take 10 seconds, reporting progress';

let mayfly;
let browser;
before(async () => {
  await mkdir(ARTIFACTS, { recursive: true });
  [mayfly, browser] = await Promise.all([startMayfly(), startChromium()]);
});
after(async () => {
  await browser?.close();
  await mayfly?.stop();
});

/** Runs `story` on a fresh page; afterwards the page must have had nothing to complain about. */
async function onPage(options, story) {
  const page = await openPage(browser, mayfly.url, options);
  try {
    await story(page);
    assert.deepEqual(page.complaints, []);
  } finally {
    await page.context().close();
  }
}

const job = (page, title) => page.locator('.job', { has: page.getByText(title, { exact: true }) });
const inState = (page, title, state) => job(page, title).locator('.badge', { hasText: state }).first().waitFor();
const shoot = (page, name) => page.screenshot({ path: `${ARTIFACTS}${name}.png`, fullPage: true });

/** The pictures that were really decoded, as [natural width, natural height]. */
async function decoded(images) {
  await images.first().waitFor();
  return images.evaluateAll((all) => Promise.all(all.map(async (image) => {
    await image.decode();
    return [image.naturalWidth, image.naturalHeight];
  })));
}

async function sendEcho(page, text, behaviour) {
  if (behaviour) await page.getByLabel('The worker should').selectOption(behaviour);
  await page.getByLabel('Text').fill(text);
  await page.getByRole('button', { name: 'Send echo' }).click();
}

describe('the page', () => {
  it('says where it is connected and how things are', () => onPage({}, async (page) => {
    assert.equal(await page.locator('#connection-text').innerText(), `Connected ${hostname()}`);
    await page.getByText('Accepting jobs').waitFor();
    await page.getByText(/Redis is off/).waitFor();
    await page.getByText(/^No jobs yet/).waitFor();
    assert.match(await page.locator('#session-text').innerText(), /^Session [0-9a-f-]{36}, good until /);
  }));

  it('turns a dropped picture into three thumbnails, which are there again after a reload', () => onPage({}, async (page) => {
    await dropFile(page, PICTURE);
    const previews = page.locator('#stage .preview img');
    await previews.nth(2).waitFor();
    const sizes = [[64, 38], [256, 154], [1024, 614]];
    assert.deepEqual(await decoded(previews), sizes);
    assert.equal(await page.locator('#stage-progress').evaluate((bar) => bar.value), 1);
    await page.getByText(/^Done in /).waitFor();
    await inState(page, PICTURE.name, 'Done');

    await page.reload();
    await connected(page);
    await previews.nth(2).waitFor();
    assert.deepEqual(await decoded(previews), sizes);
    await inState(page, PICTURE.name, 'Done');
    await job(page, PICTURE.name).getByRole('button', { name: 'Details of' }).click();
    assert.deepEqual(await decoded(job(page, PICTURE.name).locator('.preview img')), sizes);
  }));

  it('takes a chosen picture too, and explains what it cannot take', () => onPage({}, async (page) => {
    const input = page.getByLabel('Choose a picture');
    await input.setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('text') });
    await page.getByText('notes.txt is not a picture.').waitFor();
    await input.setInputFiles({ name: 'broken.png', mimeType: 'image/png', buffer: Buffer.from('not really a PNG') });
    await inState(page, 'broken.png', 'Failed');
    assert.ok(await job(page, 'broken.png').locator('.job-words').innerText(), 'no reason is given');
    await input.setInputFiles({ name: PICTURE.name, mimeType: PICTURE.type, buffer: PICTURE.content });
    await inState(page, PICTURE.name, 'Done');
    assert.ok(await page.locator('#picture-problem').isHidden());
  }));

  it('paints a picture for people who have none', () => onPage({}, async (page) => {
    await page.getByRole('button', { name: 'Use a painted one' }).click();
    await page.locator('#stage .preview').nth(2).waitFor();
    assert.deepEqual(await decoded(page.locator('#stage .preview img')), [[64, 40], [256, 160], [1024, 640]]);
  }));

  it('shows how long an echo takes', () => onPage({}, async (page) => {
    assert.equal(await page.locator('#echo-last').innerText(), '–');
    await sendEcho(page, 'Round we go');
    await inState(page, 'Round we go', 'Done');
    assert.match(await page.locator('#echo-last').innerText(), /^[\d.]+ (ms|s)$/);
    await page.getByRole('switch', { name: 'Once a second' }).check();
    await page.locator('#chart circle').nth(3).waitFor();
    assert.match(await page.locator('#chart-summary').textContent(), /^\d echoes in the last 60 seconds/);
    // Repeated echoes are plotted, not listed.
    assert.equal(await page.locator('.job').count(), 1);
  }));

  it('cancels a job and tries it again', () => onPage({}, async (page) => {
    await sendEcho(page, 'Slow one', IN_TEN_SECONDS);
    await inState(page, 'Slow one', 'Running');
    await job(page, 'Slow one').getByRole('button', { name: 'Cancel' }).click();
    await inState(page, 'Slow one', 'Cancelled');
    await job(page, 'Slow one').getByRole('button', { name: 'Retry' }).click();
    await inState(page, 'Slow one', 'Running');
    assert.equal(await job(page, 'Slow one').count(), 2);
  }));

  it('follows a running job across a reload', () => onPage({}, async (page) => {
    await sendEcho(page, 'Long way', IN_TEN_SECONDS);
    await inState(page, 'Long way', 'Running');
    await page.reload();
    await connected(page);
    await inState(page, 'Long way', 'Running');
    await inState(page, 'Long way', 'Done');
    await page.getByRole('button', { name: 'Clear finished' }).click();
    await page.getByText(/^No jobs yet/).waitFor();
    await page.reload();
    await page.getByText(/^No jobs yet/).waitFor();
  }));

  it('says why a job failed', () => onPage({}, async (page) => {
    await sendEcho(page, 'No luck', 'fail for good');
    await inState(page, 'No luck', 'Failed');
    await job(page, 'No luck').getByText(/out_of_luck/).waitFor();
  }));

  it('does all of it with the keyboard alone', () => onPage({}, async (page) => {
    const press = (...keys) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
    const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.textContent.trim());
    const tabTo = async (wanted) => {
      for (let tabs = 0; tabs < 30 && (await focused()) !== wanted; tabs++) await press('Tab');
      assert.equal(await focused(), wanted);
    };
    // Listening from the start: Chromium hands choosers over only some time after it was asked to.
    const chooser = new Promise((resolve) => page.once('filechooser', resolve));
    await tabTo('picture');
    const outline = () => page.locator('.drop').evaluate((zone) => getComputedStyle(zone).outlineStyle);
    assert.equal(await outline(), 'solid', 'focus on the drop zone must be visible');
    await press('Enter');
    await (await chooser).setFiles({ name: 'keys.png', mimeType: PICTURE.type, buffer: PICTURE.content });
    await inState(page, 'keys.png', 'Done');
    await tabTo('echo-text');
    await page.keyboard.type('By keyboard');
    await press('Enter');
    await inState(page, 'By keyboard', 'Done');
    await tabTo('clear');
    await press('Space');
    await page.getByText(/^No jobs yet/).waitFor();
    assert.equal(await focused(), 'jobs');
  }));

  it('shows two tabs of one session the same jobs', () => onPage({}, async (first) => {
    const second = await first.context().newPage();
    await second.goto(mayfly.url);
    await connected(second);
    await sendEcho(first, 'Seen twice');
    await inState(second, 'Seen twice', 'Done');
    assert.equal(await second.locator('.job').count(), 1);
  }));
});

describe('the page looks right', () => {
  async function fill(page) {
    await page.getByRole('button', { name: 'Use a painted one' }).click();
    await page.locator('#stage .preview').nth(2).waitFor();
    await page.getByRole('switch', { name: 'Once a second' }).check();
    await sendEcho(page, 'Nothing to be done', 'fail for good');
    await sendEcho(page, 'Taking its time', IN_TEN_SECONDS);
    await sendEcho(page, 'Hello, mayfly', 'answer at once');
    await page.locator('#chart circle').nth(5).waitFor();
    await job(page, 'Taking its time').locator('progress[value]').waitFor();
  }

  it('in daylight', () => onPage({ colorScheme: 'light' }, async (page) => {
    await fill(page);
    await shoot(page, 'page');
  }));

  it('in the dark', () => onPage({ colorScheme: 'dark' }, async (page) => {
    await fill(page);
    const [background, ink] = await page.evaluate(() => {
      const { backgroundColor, color } = getComputedStyle(document.body);
      return [backgroundColor, color].map((value) => value.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0));
    });
    assert.ok(background < 120 && ink > 600, `background ${background}, ink ${ink}`);
    await shoot(page, 'page-dark');
  }));

  for (const width of [320, 390]) {
    it(`on a phone ${width} pixels wide, without scrolling sideways`, () => onPage({ viewport: { width, height: 780 }, hasTouch: true, deviceScaleFactor: 2 }, async (page) => {
      await fill(page);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
      await shoot(page, width === 390 ? 'page-phone' : 'page-phone-small');
    }));
  }

  it('without motion for those who asked for none', () => onPage({ reducedMotion: 'reduce' }, async (page) => {
    await sendEcho(page, 'Calm', IN_TEN_SECONDS);
    await inState(page, 'Calm', 'Running');
    assert.deepEqual(await page.evaluate(() => document.getAnimations().length), 0);
  }));
});

describe('when the gateway goes away, the page', () => {
  const secrets = {
    'comes back with a job given meanwhile': { SESSION_SECRET: 'the same before and after' },
    'comes back as somebody new when its session is no longer known, and nothing is lost': {},
  };
  for (const [name, env] of Object.entries(secrets)) {
    it(`says that it is reconnecting, and ${name}`, async () => {
      let gateway = await startMayfly(env);
      const page = await openPage(browser, gateway.url);
      const session = () => page.locator('#session-text').innerText();
      try {
        await sendEcho(page, 'Before');
        await inState(page, 'Before', 'Done');
        const sessionBefore = await session();
        await gateway.kill();
        await page.getByText('Reconnecting…').waitFor();
        await sendEcho(page, 'Given while away');
        await inState(page, 'Given while away', 'Sending');
        await shoot(page, 'page-reconnecting');
        gateway = await startMayfly({ ...env, PORT: gateway.port });
        await connected(page);
        await inState(page, 'Given while away', 'Done');
        const id = (text) => text.match(/[0-9a-f-]{36}/)[0];
        assert.equal(id(await session()) === id(sessionBefore), 'SESSION_SECRET' in env);
      } finally {
        await page.context().close();
        await gateway.stop();
      }
    });
  }
});

describe('when the gateway is asked to leave, the page', () => {
  it('says so, and looks for another', async () => {
    const gateway = await startMayfly();
    const page = await openPage(browser, gateway.url);
    const left = gateway.stop();
    await page.getByText(/^This gateway is leaving/).waitFor();
    await page.getByText('Reconnecting…').waitFor();
    await left;
    await page.context().close();
  });
});

describe('without a client bundle of its own, the page', () => {
  const bundle = new URL('../node_modules/socket.io-client/dist/socket.io.min.js', import.meta.url);
  let bare;
  before(async () => { bare = await startMayfly({ SOCKETIO_CLIENT_DIR: undefined }); });
  after(() => bare?.stop());

  /** Opens the page with `body` in place of what the CDN would serve. */
  async function openWithCdn(body) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.route('https://cdn.jsdelivr.net/**', (route) => route.fulfill({
      body, contentType: 'text/javascript', headers: { 'access-control-allow-origin': '*' },
    }));
    await page.goto(bare.url);
    return page;
  }

  it('takes the client from the CDN', async () => {
    const page = await openWithCdn(await readFile(bundle, 'utf8'));
    await connected(page);
    await page.context().close();
  });

  it('runs no client that anybody has touched, and says what is missing', async () => {
    const page = await openWithCdn(`${await readFile(bundle, 'utf8')};globalThis.touched = true;`);
    await page.getByText('No socket.io client').waitFor();
    assert.equal(await page.evaluate(() => globalThis.touched), undefined);
    await page.context().close();
  });
});
