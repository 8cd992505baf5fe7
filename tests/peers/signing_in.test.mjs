// A browser signs in, and what pages of others can do with its cookie.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { launch } from './chromium.mjs';
import { key, server } from './microphone.mjs';

const SESSION = '/v1/web/session';

let browser;
let pages; // of one person: they share the cookie
let ours;

before(async () => {
  browser = await launch();
  pages = await browser.newContext();
  ours = await pages.newPage();
  await ours.goto(new URL('/docs', server).href);
});

after(() => browser.close());

/** What a script of a page is answered: the status, and the body if it is JSON. */
const ask = (page, path, { method = 'GET', body, headers = {} } = {}) => page.evaluate(
  async ([url, options]) => {
    const answer = await fetch(url, options);
    const text = await answer.text();
    return { status: answer.status, told: text.startsWith('{') ? JSON.parse(text) : text };
  },
  [path, { method, headers: { 'content-type': 'application/json', ...headers }, body }],
);

/** The first event of a realtime session, or that there is none. */
const talk = (page) => page.evaluate((url) => new Promise((resolve) => {
  const socket = new WebSocket(url);
  socket.onerror = () => resolve('refused');
  socket.onmessage = ({ data }) => {
    socket.close();
    resolve(JSON.parse(data).type);
  };
}), `ws://${server.host}/v1/realtime?model=gpt-realtime`);

/** Somebody else's page: of the same host, which to a browser is the same site, by another port. */
async function withAnother(use) {
  const other = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end('<p>'));
  await new Promise((resolve) => { other.listen(0, server.hostname, resolve); });
  const page = await pages.newPage();
  try {
    await page.goto(`http://${server.hostname}:${other.address().port}/`);
    await use(page);
  } finally {
    await page.close();
    other.close();
  }
}

test('a page without the cookie is let in nowhere', async () => {
  assert.equal((await ask(ours, SESSION)).status, 401);
  assert.equal(await talk(ours), 'refused');
});

test('one that has signed in reads, changes with its token, and talks', async () => {
  const signedIn = await ask(ours, SESSION, { method: 'POST', body: JSON.stringify({ key }) });
  assert.equal(signedIn.status, 200);
  assert.equal(await ours.evaluate(() => document.cookie), '');
  await ours.reload();
  const { status, told } = await ask(ours, SESSION);
  assert.equal(status, 200);
  assert.deepEqual(told, signedIn.told);
  const agent = { method: 'POST', body: '{"name": "guide", "config": {}}' };
  assert.equal((await ask(ours, '/v1/agents', agent)).told.error.code, 'csrf_failed');
  const headers = { 'x-csrf-token': told.csrf_token };
  const made = await ask(ours, '/v1/agents', { ...agent, headers });
  assert.equal(made.status, 201);
  const path = `/v1/agents/${made.told.id}`;
  assert.equal((await ask(ours, path, { method: 'DELETE', headers })).status, 204);
  assert.equal(await talk(ours), 'session.created');
});

test('the page of another server on this host does nothing with the cookie', () => withAnother(
  async (theirs) => {
    assert.equal(await talk(theirs), 'refused');
    const sent = await theirs.evaluate(async (url) => {
      const answers = [];
      for (const options of [{ method: 'DELETE' }, { method: 'POST', body: '{}' }, {}]) {
        const asked = fetch(url, { credentials: 'include', ...options });
        answers.push(await asked.then((answer) => answer.status, () => 'kept from it'));
      }
      return answers;
    }, new URL(SESSION, server).href);
    assert.deepEqual(sent, Array(3).fill('kept from it'));
    await theirs.evaluate((url) => { window.location = url; }, new URL(SESSION, server).href);
    await theirs.waitForURL(new URL(SESSION, server).href);
    assert.match(await theirs.textContent('body'), /origin_not_allowed/);
  },
));

test('one that signs out is out', async () => {
  const { told } = await ask(ours, SESSION);
  const headers = { 'x-csrf-token': told.csrf_token };
  assert.equal((await ask(ours, SESSION, { method: 'DELETE', headers })).status, 204);
  assert.deepEqual(await pages.cookies(), []);
  assert.equal((await ask(ours, SESSION)).status, 401);
});
