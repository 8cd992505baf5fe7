// Conversations through npm `openai`'s OpenAIRealtimeWS.
import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';

import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';

import {
  AT_LENGTH, BRIEF, Microphone, OCEAN, STORY, key, leave, server, sleep, until,
} from './microphone.mjs';

/** A connection with a memory. The client speaks TLS only, so its option for the socket is used. */
async function call(session, talk) {
  const client = new OpenAI({ apiKey: key, baseURL: new URL('/v1', server).href });
  const createConnection = () => net.connect(Number(server.port), server.hostname);
  const rt = new OpenAIRealtimeWS({ model: 'gpt-realtime', options: { createConnection } }, client);
  const events = [];
  const errors = [];
  rt.on('event', (event) => events.push(event));
  rt.on('error', (error) => errors.push(error));
  let looked = 0;
  const next = (type) => until(() => {
    while (looked < events.length) {
      const event = events[looked++];
      if (event.type === type) return event;
    }
    return undefined;
  }, type);
  const type = (text) => {
    const content = [{ type: 'input_text', text }];
    rt.send({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content } });
    rt.send({ type: 'response.create' });
  };
  try {
    await next('session.created');
    rt.send({ type: 'session.update', session: { type: 'realtime', ...session } });
    await next('session.updated');
    await talk({ rt, events, next, type });
    assert.deepEqual(errors, []);
  } finally {
    rt.close();
  }
}

const audioOf = (events, response) => events
  .filter((e) => e.type === 'response.output_audio.delta' && e.response_id === response.id)
  .map((e) => Buffer.from(e.delta, 'base64'));

const said = (response) => response.output
  .flatMap((item) => item.content ?? [])
  .map((part) => part.text ?? part.transcript)
  .join(' ');

const remembered = async ({ rt, next }, item) => {
  rt.send({ type: 'conversation.item.retrieve', item_id: item.id });
  return (await next('conversation.item.retrieved')).item.content.map((c) => c.transcript).join('');
};

const microphone = (rt) => new Microphone((pcm) => {
  rt.send({ type: 'input_audio_buffer.append', audio: pcm.toString('base64') });
});

test('a typed question is answered in writing', () => call(
  { instructions: BRIEF, output_modalities: ['text'] },
  async ({ next, type }) => {
    type(OCEAN);
    const { response } = await next('response.done');
    assert.equal(response.status, 'completed');
    assert.match(said(response), /pacific/i);
  },
));

test('a spoken question is answered by voice', () => call(
  { instructions: BRIEF, audio: { input: { transcription: { model: 'whisper-1' } } } },
  async ({ rt, events, next }) => {
    const mic = microphone(rt);
    await mic.say('ocean');
    const asked = await next('conversation.item.input_audio_transcription.completed');
    const { response } = await next('response.done');
    mic.stop();
    assert.match(asked.transcript, /largest ocean/i);
    assert.match(said(response), /pacific/i);
    leave('openai', audioOf(events, response), said(response));
  },
));

test('a function is called and its output told', () => call(
  {
    instructions: BRIEF,
    output_modalities: ['text'],
    tools: [{
      type: 'function',
      name: 'get_weather',
      description: 'The weather in a city.',
      parameters: {
        type: 'object', properties: { city: { type: 'string' } }, required: ['city'],
      },
    }],
  },
  async ({ rt, next, type }) => {
    type('What is the weather in Paris?');
    const [called] = (await next('response.done')).response.output;
    assert.equal(called.type, 'function_call');
    assert.deepEqual(JSON.parse(called.arguments).city, 'Paris');
    const item = { type: 'function_call_output', call_id: called.call_id, output: 'It is raining.' };
    rt.send({ type: 'conversation.item.create', item });
    rt.send({ type: 'response.create' });
    assert.match(said((await next('response.done')).response), /rain/i);
  },
));

test('an interruption leaves what was heard, and a truncation less', () => call(
  { instructions: AT_LENGTH },
  async (caller) => {
    const { rt, events, next, type } = caller;
    const mic = microphone(rt);
    type(STORY);
    await next('response.output_audio.delta');
    await sleep(3000);
    await mic.say('cancel');
    const { response } = await next('response.done');
    assert.equal(response.status, 'cancelled');
    assert.equal(response.status_details.reason, 'turn_detected');
    const [item] = response.output;
    const heard = await remembered(caller, item);
    const whole = events
      .filter((e) => e.type === 'response.output_audio_transcript.delta' && e.item_id === item.id)
      .map((e) => e.delta).join('');
    assert.ok(heard.length > 0 && heard.length < whole.length, heard);
    assert.ok(whole.startsWith(heard), heard);
    mic.stop();

    const truncate = { type: 'conversation.item.truncate', item_id: item.id, content_index: 0 };
    rt.send({ ...truncate, audio_end_ms: 1500 });
    assert.equal((await next('conversation.item.truncated')).audio_end_ms, 1500);
    const less = await remembered(caller, item);
    assert.ok(less.length < heard.length && heard.startsWith(less), less);
  },
));
