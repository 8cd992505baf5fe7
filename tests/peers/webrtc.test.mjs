// Chromium calls the server over WebRTC.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';

import { launch } from './chromium.mjs';
import { AT_LENGTH, BRIEF, STORY, key, leave, server, sleep, until } from './microphone.mjs';

const folder = process.env.VOICEFORGE_CLIPS;
const clip = (name) => join(folder, `${name}.wav`);
const authorization = { authorization: `Bearer ${key}` };

const browser = await launch({
  microphone: clip('ocean_device'),
  flags: ['--disable-features=LocalNetworkAccessChecks'], // pages of another origin ask for that
});
after(() => browser.close());

/** A page of the server's own, with the clips. */
async function page(context = browser) {
  const one = await context.newPage();
  await one.goto(new URL('/healthz', server).href.replace('127.0.0.1', 'localhost'));
  await one.addScriptTag({ path: new URL('webrtc_page.js', import.meta.url).pathname });
  for (const name of ['ocean', 'cancel', 'mhm']) {
    await one.evaluate(([n, b]) => learn(n, b), [name, readFileSync(clip(name)).toString('base64')]);
  }
  return one;
}

/** A call of a page, and what can be done with it from here. */
class Call {
  constructor(page, number) { this.page = page; this.number = number; }

  static async begin(page, options = {}, headers = authorization) {
    const number = await page.evaluate(([h, o]) => call(h, o), [headers, options]);
    const one = new Call(page, number);
    one.created = await one.told('session.created');
    return one;
  }

  #do(name, ...rest) {
    return this.page.evaluate(([n, ...r]) => globalThis.eval(n)(...r), [name, this.number, ...rest]);
  }

  ask(event) { return this.#do('ask', event); }
  say(name) { return this.#do('say', name); }
  events() { return this.#do('eventsOf'); }
  lastLoud() { return this.#do('lastLoud'); }
  now() { return this.#do('nowOf'); }
  stats() { return this.#do('statsOf'); }
  hangUp() { return this.#do('hangUp'); }
  async heard() { return Buffer.from(await this.#do('heardOf'), 'base64'); }

  async told(type, count = 1, withinMs = 60_000) {
    const giveUp = Date.now() + withinMs;
    for (;;) {
      const found = (await this.events()).filter((event) => event.type === type);
      if (found.length >= count) return found[count - 1];
      if (Date.now() > giveUp) throw new Error(`waited in vain for ${type} ${count}`);
      await sleep(50);
    }
  }

  configure(session) { return this.ask({ type: 'session.update', session: { type: 'realtime', ...session } }); }
}

const transcript = (event) => event.response.output[0].content[0].transcript;

async function story(options = {}) {
  const one = await Call.begin(await page(), options);
  await one.configure({ instructions: AT_LENGTH });
  await one.ask({
    type: 'conversation.item.create',
    item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: STORY }] },
  });
  await one.ask({ type: 'response.create' });
  await one.told('output_audio_buffer.started');
  await sleep(2500);
  return one;
}

test('a question that is asked of the microphone is answered', async () => {
  const one = await Call.begin(await page(), { own: false });
  await one.configure({ instructions: BRIEF });
  const done = await one.told('response.done');
  assert.equal(done.response.status, 'completed');
  await one.told('output_audio_buffer.stopped');
  await sleep(300);
  leave('webrtc', [await one.heard()], transcript(done));
  assert.match(await one.page.evaluate((n) => calls[n].location, one.number), /\/sess_\d+_/);
  const loudUntil = await one.lastLoud();
  const stopped = (await one.told('output_audio_buffer.stopped')).at;
  assert.ok(Math.abs(stopped - loudUntil) < 400, `stopped at ${stopped}, silent from ${loudUntil}`);
  const [received] = (await one.stats()).filter((stat) => stat.type === 'inbound-rtp');
  assert.ok(received.fecPacketsReceived > 10);
  await one.hangUp();
});

test('an interruption silences the agent, and the history is what was heard', async () => {
  const one = await story();
  const said = one.say('cancel');
  const cleared = await one.told('output_audio_buffer.cleared');
  await said;
  await sleep(300);
  assert.ok(await one.lastLoud() < cleared.at + 300);
  const done = await one.told('response.done');
  assert.equal(done.response.status_details.reason, 'turn_detected');
  const written = (await one.events())
    .filter((event) => event.type === 'response.output_audio_transcript.delta')
    .map((event) => event.delta).join('');
  const kept = transcript(done);
  assert.ok(kept.length > 10 && kept.length < written.length, `${kept} of ${written}`);
  await one.told('response.done', 2);
  await one.hangUp();
});

test('an acknowledgement does not end what the agent says', async () => {
  const one = await story();
  await one.say('mhm');
  await sleep(2500);
  const kinds = (await one.events()).map((event) => event.type);
  assert.ok(!kinds.includes('output_audio_buffer.cleared'), kinds.slice(-20).join());
  assert.ok(await one.now() - await one.lastLoud() < 1500);
  await one.hangUp();
});

test('the agent does not interrupt itself through the microphone', async () => {
  const one = await story({ echo: 0.1 });
  await sleep(6000);
  const kinds = (await one.events()).map((event) => event.type);
  assert.ok(!kinds.includes('output_audio_buffer.cleared'), kinds.slice(-20).join());
  assert.ok(!kinds.includes('input_audio_buffer.speech_started'), kinds.slice(-20).join());
  assert.ok(await one.now() - await one.lastLoud() < 1500);
  await one.hangUp();
});

test('what is typed is answered by voice, and cleared when it is asked for', async () => {
  const one = await story();
  await one.ask({ type: 'output_audio_buffer.clear' });
  const cleared = await one.told('output_audio_buffer.cleared');
  await sleep(500);
  assert.ok(await one.lastLoud() < cleared.at + 400); // a browser's own buffer, on a busy machine
  await one.hangUp();
});

test('a tab that crashes can be followed by another, which goes on', async () => {
  const one = await Call.begin(await page());
  await one.ask({
    type: 'conversation.item.create',
    item: { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'My name is Ada.' }] },
  });
  await one.told('conversation.item.added');
  const { id, voiceforge: { resume } } = one.created.session;
  const tools = await one.page.context().newCDPSession(one.page);
  tools.send('Page.crash').catch(() => {});
  await sleep(500);
  const query = `session_id=${id}&resume=${encodeURIComponent(resume)}`;
  const again = await Call.begin(await page(), { query });
  assert.equal(again.created.session.id, id);
  const added = await again.told('conversation.item.added');
  assert.equal(added.item.content[0].text, 'My name is Ada.');
  await again.configure({ instructions: BRIEF });
  await again.say('ocean');
  await again.told('response.done');
  await again.hangUp();
});

test('two tabs at once have a session each', async () => {
  const pages = await Promise.all([page(), page()]);
  const both = await Promise.all(pages.map((each) => Call.begin(each)));
  assert.notEqual(both[0].created.session.id, both[1].created.session.id);
  await Promise.all(both.map((one) => one.say('ocean')));
  await Promise.all(both.map((one) => one.told('response.done')));
  for (const one of both) await one.hangUp();
});

test('a call is hung up by the server', async () => {
  const one = await Call.begin(await page());
  const path = `/v1/realtime/calls/${one.created.session.id}/hangup`;
  const answered = await fetch(new URL(path, server), { method: 'POST', headers: authorization });
  assert.equal(answered.status, 200);
  await one.told('voiceforge.session.ended');
  await until(() => one.page.evaluate((n) => calls[n].closed, one.number), 'the end');
});

test('a browser that UDP does not reach calls through a relay', async () => {
  const one = await page();
  const told = await fetch(new URL('/v1/realtime/ice_servers', server), { headers: authorization });
  const { ice_servers: iceServers } = await told.json();
  const called = await Call.begin(one, { rtc: { iceServers, iceTransportPolicy: 'relay' } });
  await called.say('ocean');
  await called.told('response.done');
  const stats = await called.stats();
  const pair = stats.find((stat) => stat.type === 'candidate-pair' && stat.nominated);
  const local = stats.find((stat) => stat.id === pair.localCandidateId);
  assert.equal(local.candidateType, 'relay');
  await called.hangUp();
});

test('an offer that is none is told what it should be', async () => {
  const one = await page();
  const answered = await one.evaluate(async (headers) => {
    const got = await fetch('/v1/realtime/calls', {
      method: 'POST', headers: { ...headers, 'content-type': 'application/sdp' }, body: 'v=0\r\nhello',
    });
    return [got.status, await got.json()];
  }, authorization);
  assert.equal(answered[0], 400);
  assert.equal(answered[1].error.code, 'invalid_offer');
});

test('@openai/agents calls from a page of another origin, with a client secret', async (t) => {
  const made = await fetch(new URL('/v1/realtime/client_secrets', server), {
    method: 'POST',
    headers: { ...authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ session: { type: 'realtime', instructions: BRIEF } }),
  });
  const { value } = await made.json();
  const one = await browser.newPage();
  const bundle = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname,
    'node_modules/@openai/agents-realtime/dist/bundle');
  // A server of its own: what Playwright serves in its place is asked nothing beforehand (CORS).
  const shop = createServer(({ url }, response) => {
    const script = url.endsWith('.mjs');
    response.setHeader('content-type', script ? 'text/javascript' : 'text/html');
    response.end(script ? readFileSync(join(bundle, basename(url))) : '<p>shop');
  });
  await new Promise((resolve) => shop.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${shop.address().port}`;
  t.after(() => shop.close());
  await one.goto(origin);
  const address = new URL('/v1/realtime/calls', server).href;
  const said = await one.evaluate(async ([apiKey, url]) => {
    const { RealtimeAgent, RealtimeSession, OpenAIRealtimeWebRTC } = await import(
      `${location.origin}/openai-realtime-agents.mjs`);
    const transport = new OpenAIRealtimeWebRTC({ baseUrl: url });
    const agent = new RealtimeAgent({ name: 'Joe', instructions: 'Answer in one short sentence.' });
    const session = new RealtimeSession(agent, { transport, model: 'gpt-realtime', tracingDisabled: true });
    const events = [], errors = [];
    session.transport.on('*', (event) => events.push(event));
    session.on('error', (error) => errors.push(JSON.stringify(error)));
    await session.connect({ apiKey });
    const giveUp = Date.now() + 40_000;
    while (!events.some((event) => event.type === 'output_audio_buffer.stopped')) {
      if (Date.now() > giveUp) break;
      await new Promise((later) => setTimeout(later, 50));
    }
    const called = transport.callId;
    session.close();
    const kinds = events.map((event) => event.type);
    const done = events.find((event) => event.type === 'response.done');
    return { kinds, errors, called, text: done?.response.output[0].content[0].transcript };
  }, [value, address]);
  assert.deepEqual(said.errors, []);
  assert.ok(said.kinds.includes('output_audio_buffer.stopped'), said.kinds.join());
  assert.match(said.called, /^sess_/);
  assert.match(said.text, /pacific/i);
});
