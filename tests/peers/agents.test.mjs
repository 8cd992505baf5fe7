// Conversations through `@openai/agents`: a RealtimeSession over its own WebSocket transport.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { RealtimeAgent, RealtimeSession, tool } from '@openai/agents/realtime';
import { z } from 'zod';

import {
  AT_LENGTH, BRIEF, Microphone, OCEAN, STORY, key, leave, server, sleep, until,
} from './microphone.mjs';

/** A session with a memory; all that the server sends is in `events`. */
async function call(agent, config, talk, apiKey = key) {
  const session = new RealtimeSession(new RealtimeAgent({ name: 'Joe', ...agent }), {
    transport: 'websocket', model: 'gpt-realtime', tracingDisabled: true, config,
  });
  const events = [];
  const errors = [];
  const audio = [];
  session.transport.on('*', (event) => events.push(event));
  session.on('error', (error) => errors.push(error));
  session.on('audio', (event) => audio.push(Buffer.from(event.data)));
  try {
    const url = new URL('/v1/realtime?model=gpt-realtime', server);
    url.protocol = 'ws:';
    await session.connect({ apiKey, url: url.href });
    await talk({ session, events, audio });
    assert.deepEqual(errors, []);
  } finally {
    session.close();
  }
}

const microphone = (session) => new Microphone((pcm) => {
  session.sendAudio(pcm.buffer.slice(pcm.byteOffset, pcm.byteOffset + pcm.byteLength));
});

const answered = (events, count = 1) => until(
  () => events.filter((event) => event.type === 'response.done').length >= count,
  `response.done ${count}`,
);

const last = (session, role) => session.history.findLast((item) => item.role === role);

const words = (item) => item.content.map((part) => part.text ?? part.transcript ?? '').join(' ');

const TEXT = { outputModalities: ['text'] };

test('a typed question is answered in writing', () => call(
  { instructions: BRIEF }, TEXT,
  async ({ session, events }) => {
    session.sendMessage(OCEAN);
    await answered(events);
    await until(() => /pacific/i.test(words(last(session, 'assistant'))), 'the answer');
  },
));

test('a spoken question is answered by voice', () => call(
  { instructions: BRIEF }, {},
  async ({ session, events, audio }) => {
    const mic = microphone(session);
    await mic.say('ocean');
    await answered(events);
    mic.stop();
    await until(() => /largest ocean/i.test(words(last(session, 'user'))), 'the question');
    const answer = words(last(session, 'assistant'));
    assert.match(answer, /pacific/i);
    leave('agents', audio, answer);
  },
));

/** What a server of ours asks of VoiceForge. */
async function post(path, body) {
  const answer = await fetch(new URL(path, server), {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const told = await answer.json();
  assert.ok(answer.ok, JSON.stringify(told));
  return told;
}

/** What a server of ours gives to a browser. */
async function clientSecret(more = {}) {
  const session = { type: 'realtime', model: 'gpt-realtime', ...more };
  return (await post('/v1/realtime/client_secrets', { session })).value;
}

test('a client secret lets it in as a key does, and a wrong one does not', async () => {
  const secret = await clientSecret();
  assert.match(secret, /^ek_/);
  const ask = async ({ session, events }) => {
    session.sendMessage(OCEAN);
    await answered(events);
    await until(() => /pacific/i.test(words(last(session, 'assistant'))), 'the answer');
  };
  await call({ instructions: BRIEF }, TEXT, ask, secret);
  await assert.rejects(call({ instructions: BRIEF }, TEXT, ask, `${secret}x`));
});

test('a function is run by the client and its output told', async () => {
  const asked = [];
  const weather = tool({
    name: 'get_weather',
    description: 'The weather in a city.',
    parameters: z.object({ city: z.string() }),
    execute: async ({ city }) => {
      asked.push(city);
      return 'It is raining.';
    },
  });
  await call({ instructions: BRIEF, tools: [weather] }, TEXT, async ({ session, events }) => {
    session.sendMessage('What is the weather in Paris?');
    await answered(events, 2);
    assert.deepEqual(asked, ['Paris']);
    await until(() => /rain/i.test(words(last(session, 'assistant'))), 'the answer');
  });
});

test('an agent of the server runs its tools, and the client asks for nothing', async () => {
  const asked = [];
  const shop = createServer((request, response) => {
    asked.push(request.url);
    response.setHeader('content-type', 'application/json');
    response.end('{"status": "ready for collection"}');
  });
  await new Promise((resolve) => shop.listen(0, '127.0.0.1', resolve));
  const tools = [{
    type: 'http',
    name: 'order_status',
    description: 'Tells how an order is coming along.',
    url: `http://127.0.0.1:${shop.address().port}/orders/{order}`,
    method: 'GET',
    parameters: {
      type: 'object', properties: { order: { type: 'integer' } }, required: ['order'],
    },
  }];
  const told = { instructions: BRIEF, tool_choice: { type: 'function', name: 'order_status' } };
  const agent = await post('/v1/agents', { name: 'shop', config: { session: told, tools } });
  const secret = await clientSecret({ voiceforge: { agent: agent.id } });
  try {
    await call({}, TEXT, async ({ session, events }) => {
      session.sendMessage('How is order 7 coming along?');
      await answered(events, 2);
      const made = await until(
        () => session.history.find((item) => item.type === 'mcp_call' && item.output),
        'the call with its output',
      );
      assert.deepEqual([made.name, made.status], ['order_status', 'completed']);
      assert.match(made.output, /ready for collection/);
      assert.deepEqual(asked, ['/orders/7']);
      await until(() => /ready|collect/i.test(words(last(session, 'assistant'))), 'the answer');
    }, secret);
  } finally {
    shop.close();
  }
});

const spoken = (events, item) => events
  .filter((e) => e.type === 'response.output_audio_transcript.delta' && e.item_id === item.id)
  .map((e) => e.delta).join('');

const found = (events, type) => until(() => events.find((event) => event.type === type), type);

const telling = async ({ session, events }) => {
  session.sendMessage(STORY);
  await found(events, 'response.output_audio.delta');
  await sleep(3000);
};

test('a caller who interrupts silences the client, whose history ends there', () => call(
  { instructions: AT_LENGTH }, {},
  async ({ session, events }) => {
    let interrupted = 0;
    session.on('audio_interrupted', () => { interrupted += 1; });
    const mic = microphone(session);
    await telling({ session, events });
    await mic.say('cancel');
    const { response } = await found(events, 'response.done');
    assert.equal(response.status, 'cancelled');
    assert.equal(response.status_details.reason, 'turn_detected');
    await answered(events, 2);
    mic.stop();
    assert.equal(interrupted, 1);
    const [item] = response.output;
    const kept = words(session.history.find(({ itemId }) => itemId === item.id));
    const whole = spoken(events, item);
    assert.ok(kept.length > 0 && kept.length < whole.length && whole.startsWith(kept), kept);
  },
));

test('an interruption by the application truncates the item', () => call(
  { instructions: AT_LENGTH }, {},
  async ({ session, events, audio }) => {
    await telling({ session, events });
    // Three seconds, less the silence between two sentences where the model is slower than its voice.
    const receivedMs = Buffer.concat(audio).length / 48;
    assert.ok(receivedMs > 1000, String(receivedMs));
    session.interrupt();
    const { response } = await found(events, 'response.done');
    assert.equal(response.status_details.reason, 'client_cancelled');
    const [item] = response.output;
    const truncated = await found(events, 'conversation.item.truncated');
    assert.equal(truncated.item_id, item.id);
    const heardMs = truncated.audio_end_ms;
    assert.ok(Math.abs(heardMs - receivedMs) < 500, `${heardMs} of ${receivedMs}`);
    const retrieved = await found(events, 'conversation.item.retrieved');
    assert.ok(spoken(events, item).startsWith(words(retrieved.item)));
  },
));
