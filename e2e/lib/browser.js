// Headless Chromium, and a page in it that remembers everything it complained about.

import { chromium } from 'playwright-core';

const DEADLINE_MS = 20_000;

export function startChromium() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
    ],
  });
}

/** A fresh profile with the page open and connected. `complaints` collects console errors, exceptions and broken CSP rules. */
export async function openPage(browser, url, options) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 960 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(DEADLINE_MS);
  page.complaints = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) page.complaints.push(message.text());
  });
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  page.on('requestfailed', (request) => page.complaints.push(`failed: ${request.url()}`));
  await page.goto(url);
  await connected(page);
  return page;
}

export const connected = (page) => page.getByText(/^Connected \S+$/).waitFor();

/** Drops a file on the drop zone as a person with a mouse would. */
export async function dropFile(page, { name, type, content }) {
  const transfer = await page.evaluateHandle(({ name, type, base64 }) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], name, { type }));
    return data;
  }, { name, type, base64: content.toString('base64') });
  for (const event of ['dragenter', 'dragover', 'drop']) await page.dispatchEvent('.drop', event, { dataTransfer: transfer });
}
