// What a page under /app/ may do, as Chromium understands the headers that it comes with.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { launch } from './chromium.mjs';
import { server } from './microphone.mjs';

let browser;
let page;

before(async () => {
  browser = await launch();
  page = await browser.newPage();
  await page.goto(server.href);
});

after(() => browser.close());

/** What the policy was broken by, in order, while `act` ran in the page. */
async function broken(act) {
  await page.evaluate(() => {
    window.broken = [];
    window.listen ??= document.addEventListener('securitypolicyviolation', (event) => {
      window.broken.push(event.effectiveDirective);
    }) ?? true;
  });
  await page.evaluate(act);
  await page.evaluate(() => { new Image().src = 'https://the.end.example/'; }); // told in its turn
  await page.waitForFunction(() => window.broken.at(-1) === 'img-src');
  return page.evaluate(() => [...new Set(window.broken)].slice(0, -1));
}

test('a browser at / is sent to the app, whose script runs', async () => {
  assert.equal(new URL(page.url()).pathname, '/app/');
  assert.equal(await page.title(), 'it runs');
});

test('it asks this server, by HTTP and by WebSocket, and plays what it is answered', async () => {
  assert.deepEqual(await broken(async () => {
    await fetch('/v1/agents');
    await new Promise((resolve) => {
      const socket = new WebSocket(`ws://${window.location.host}/v1/realtime`);
      socket.onerror = resolve; // it has no key
      socket.onopen = resolve;
    });
    const silence = new Audio(URL.createObjectURL(new Blob(['RIFF'], { type: 'audio/wav' })));
    await new Promise((resolve) => { silence.onerror = resolve; silence.load(); });
    const context = new AudioContext();
    await context.audioWorklet.addModule('/app/assets/worklet-1.js');
    await context.close();
  }), []);
});

test('it opens the microphone, and no camera', async () => {
  const opened = await page.evaluate(async () => {
    const open = (wanted) => navigator.mediaDevices.getUserMedia(wanted)
      .then((stream) => stream.getTracks().length, (error) => error.name);
    return [await open({ audio: true }), await open({ video: true })];
  });
  assert.deepEqual(opened, [1, 'NotAllowedError']);
});

test('it asks nobody else, and runs nothing that came some other way', async () => {
  assert.deepEqual(await broken(async () => {
    await fetch('https://voice.example/').catch(() => {});
    const socket = new WebSocket('wss://voice.example/');
    await new Promise((resolve) => { socket.onerror = resolve; });
  }), ['connect-src']);
  assert.deepEqual(await broken(() => {
    const script = document.createElement('script');
    script.textContent = 'document.title = "it was inline"';
    document.body.append(script);
    document.body.setAttribute('onclick', 'document.title = "it was inline"');
    document.body.click();
  }), ['script-src-elem', 'script-src-attr']);
  assert.deepEqual(await broken(() => new Promise((resolve) => {
    setTimeout(() => { // the debugger's own calls may evaluate
      try { new Function('document.title = "it was evaluated"')(); } catch { resolve(); }
    });
  })), ['script-src']);
  assert.equal(await page.title(), 'it runs');
});

test('it stands in nobody\'s frame', async () => {
  const frame = `<iframe src="${new URL('/app/', server).href}"></iframe>`;
  const other = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end(frame));
  await new Promise((resolve) => { other.listen(0, server.hostname, resolve); });
  const theirs = await browser.newPage();
  const refused = theirs.waitForEvent('console', (message) => message.text().includes('frame-ancestors'));
  await theirs.goto(`http://${server.hostname}:${other.address().port}/`);
  await refused;
  other.close();
});
