// Speech, recordings, chats and models through npm `openai`. The python side reads what they say.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import OpenAI, { toFile } from 'openai';

const baseURL = new URL('/v1', process.env.VOICEFORGE_URL).href;
const client = new OpenAI({ apiKey: process.env.VOICEFORGE_API_KEY, baseURL, maxRetries: 0 });
const text = process.env.VOICEFORGE_TEXT;
const model = 'gpt-4o-mini-tts';

const keep = (name, said) => writeFileSync(join(process.env.VOICEFORGE_HEARD, name), said);

const spoken = async (format, more) => {
  const wanted = { model, voice: 'alloy', input: text, response_format: format, ...more };
  return Buffer.from(await (await client.audio.speech.create(wanted)).arrayBuffer());
};

const recording = async () => toFile(await spoken('mp3'), 'speech.mp3');

for (const format of ['mp3', 'opus', 'aac', 'flac', 'wav', 'pcm']) {
  test(`a text is spoken as ${format}`, async () => {
    let audio = await spoken(format);
    let name = `speech.${format}`;
    if (format === 'pcm') {
      assert.ok(audio.length > 24_000);
      audio = await spoken('wav', { speed: 1.2 });
      name = 'speech.wav';
    }
    const file = await toFile(audio, name);
    const told = await client.audio.transcriptions.create({ model: 'whisper-1', file });
    keep(`${format}.txt`, told.text);
  });
}

test('speech comes in events while it is made', async () => {
  const answer = await client.audio.speech.create({
    model, voice: 'ash', input: text, response_format: 'wav', stream_format: 'sse',
  });
  const lines = (await answer.text()).split('\n').filter((line) => line.startsWith('data: '));
  const events = lines.map((line) => JSON.parse(line.slice(6)));
  assert.ok(events.length > 3);
  assert.equal(events.at(-1).type, 'speech.audio.done');
});

test('a recording is transcribed in every shape', async () => {
  const file = await recording();
  const verbose = await client.audio.transcriptions.create({
    model: 'whisper-1', file, response_format: 'verbose_json', timestamp_granularities: ['word'],
  });
  assert.ok(verbose.words.every((word) => word.end >= word.start));
  assert.ok(verbose.duration > 3);
  const subtitles = await client.audio.transcriptions.create({
    model: 'whisper-1', file: await recording(), response_format: 'srt',
  });
  assert.match(subtitles, /^1\n00:00:0.* --> /);
  const stream = await client.audio.transcriptions.create({
    model: 'gpt-4o-mini-transcribe', file: await recording(), stream: true,
  });
  const events = [];
  for await (const event of stream) events.push(event);
  assert.equal(events.at(-1).type, 'transcript.text.done');
  keep('streamed.txt', events.at(-1).text);
});

test('a chat is answered, whole and streamed', async () => {
  const messages = [{ role: 'user', content: 'What is the capital of France? One word.' }];
  const whole = await client.chat.completions.create({ model: 'gpt-4o-mini', messages, max_tokens: 20 });
  assert.match(whole.choices[0].message.content, /Paris/);
  const stream = await client.chat.completions.create({
    model: 'gpt-4o-mini', messages, max_tokens: 20, temperature: 0, stream: true,
  });
  let said = '';
  for await (const chunk of stream) said += chunk.choices[0]?.delta?.content ?? '';
  assert.match(said, /Paris/);
});

test('models are listed', async () => {
  const names = [];
  for await (const one of client.models.list()) names.push(one.id);
  assert.ok(names.includes('tts-1') && names.includes('whisper-1'));
  assert.equal((await client.models.retrieve('tts-1')).id, 'tts-1');
  await assert.rejects(client.models.retrieve('gpt-9'), { status: 404 });
});

test('what cannot be is told', async () => {
  const speak = (more) => client.audio.speech.create({ model, voice: 'alloy', input: 'Hi.', ...more });
  await assert.rejects(speak({ input: '' }), { status: 400 });
  await assert.rejects(speak({ voice: 'bob' }), { status: 400, message: /unknown voice 'bob'/ });
  await assert.rejects(speak({ input: '<speak>Hi' }), { status: 400, code: 'invalid_ssml' });
  const file = await toFile(Buffer.from('PK nothing'), 'a.mp3');
  await assert.rejects(
    client.audio.transcriptions.create({ model: 'whisper-1', file }),
    { status: 400, code: 'invalid_file' },
  );
  const stranger = new OpenAI({ apiKey: 'vf_wrong', baseURL, maxRetries: 0 });
  await assert.rejects(stranger.models.list(), { status: 401 });
});
