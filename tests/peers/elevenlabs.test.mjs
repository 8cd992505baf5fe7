// Speech through npm `@elevenlabs/elevenlabs-js`. What it says is transcribed by the test in Python.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { ElevenLabsClient } from '@elevenlabs/elevenlabs-js';

const GEORGE = 'JBFqnCBsd6RMkjVDRZzb';
const text = process.env.VOICEFORGE_TEXT;
const client = new ElevenLabsClient({
  apiKey: process.env.VOICEFORGE_API_KEY, baseUrl: process.env.VOICEFORGE_URL, maxRetries: 0,
});
const wanted = { text, modelId: 'eleven_multilingual_v2', outputFormat: 'mp3_44100_128' };

const keep = (name, audio) => writeFileSync(join(process.env.VOICEFORGE_HEARD, `${name}.mp3`), audio);

async function all(stream) {
  const pieces = [];
  for await (const piece of stream) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

test('a text is spoken', async () => {
  keep('convert', await all(await client.textToSpeech.convert(GEORGE, wanted)));
});

test('a text is spoken while it is made', async () => {
  keep('stream', await all(await client.textToSpeech.stream(GEORGE, wanted)));
});

test('each character is timed', async () => {
  const told = await client.textToSpeech.convertWithTimestamps(GEORGE, wanted);
  assert.equal(told.alignment.characters.join(''), text);
  assert.equal(told.alignment.characterEndTimesSeconds.length, text.length);
  keep('timed', Buffer.from(told.audioBase64, 'base64'));
});

test('timed audio comes in lines', async () => {
  const pieces = [];
  let characters = '';
  for await (const line of await client.textToSpeech.streamWithTimestamps(GEORGE, wanted)) {
    pieces.push(Buffer.from(line.audioBase64, 'base64'));
    characters += (line.alignment?.characters ?? []).join('');
  }
  assert.equal(characters, text);
  keep('lines', Buffer.concat(pieces));
});

test('voices, models and the account are listed', async () => {
  const { voices } = await client.voices.getAll();
  const page = await client.voices.search({ pageSize: 1 });
  assert.equal(page.totalCount, voices.length);
  assert.equal(page.nextPageToken, voices[0].voiceId);
  assert.equal((await client.voices.get(GEORGE)).name, 'George');
  assert.ok((await client.models.list()).some((model) => model.modelId === 'eleven_v3'));
  assert.ok((await client.user.get()).subscription.characterLimit > 0);
  assert.equal((await client.user.subscription.get()).status, 'active');
});

test('what cannot be spoken is told', async () => {
  const refused = (more, voice = GEORGE) => client.textToSpeech.convert(voice, { ...wanted, ...more });
  await assert.rejects(refused({ text: '' }), { statusCode: 422 });
  await assert.rejects(refused({ text: '🎉' }), { statusCode: 400 });
  await assert.rejects(refused({}, 'bob'), (error) => {
    assert.equal(error.statusCode, 404);
    assert.equal(error.body.detail.status, 'voice_not_found');
    return true;
  });
});
