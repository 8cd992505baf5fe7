// Speech through npm `@elevenlabs/elevenlabs-js`. What it says is transcribed by the test in Python,
// and what it transcribes compared there with what was said.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { AudioFormat, CommitStrategy, ElevenLabsClient, RealtimeEvents } from '@elevenlabs/elevenlabs-js';

const GEORGE = 'JBFqnCBsd6RMkjVDRZzb';
const text = process.env.VOICEFORGE_TEXT;
const client = new ElevenLabsClient({
  apiKey: process.env.VOICEFORGE_API_KEY, baseUrl: process.env.VOICEFORGE_URL, maxRetries: 0,
});
const wanted = { text, modelId: 'eleven_multilingual_v2', outputFormat: 'mp3_44100_128' };

const keepFile = (name, data) => writeFileSync(join(process.env.VOICEFORGE_HEARD, name), data);
const keep = (name, audio) => keepFile(`${name}.mp3`, audio);

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

const spoken = async (outputFormat) => all(await client.textToSpeech.convert(GEORGE, { ...wanted, outputFormat }));

test('a recording is transcribed', async () => {
  const told = await client.speechToText.convert({
    file: new Blob([await spoken('mp3_44100_128')]), modelId: 'scribe_v2', languageCode: 'eng',
    timestampsGranularity: 'character', additionalFormats: [{ format: 'srt' }], keyterms: ['Zadarma'],
  });
  assert.equal(told.languageCode, 'eng');
  assert.equal(told.words.map((word) => word.text).join(''), told.text);
  assert.ok(told.words.every((word) => word.end >= word.start && word.characters.length === word.text.length));
  assert.match(told.additionalFormats[0].content, /-->/);
  keepFile('recording.txt', told.text);
});

test('what cannot be transcribed is told', async () => {
  const file = new Blob(['PK nothing']);
  const refused = (more) => client.speechToText.convert({ file, modelId: 'scribe_v2', ...more });
  await assert.rejects(refused({}), { statusCode: 400 });
  await assert.rejects(refused({ languageCode: 'klingon' }), { statusCode: 422 });
  await assert.rejects(refused({ diarize: true }), (error) => {
    assert.equal(error.statusCode, 400);
    assert.equal(error.body.detail.status, 'unsupported');
    return true;
  });
});

test('speech is transcribed while it is spoken', async () => {
  const audio = await spoken('pcm_16000');
  const connection = await client.speechToText.realtime.connect({
    modelId: 'scribe_v2_realtime', audioFormat: AudioFormat.PCM_16000, sampleRate: 16000,
    commitStrategy: CommitStrategy.MANUAL, includeTimestamps: true, languageCode: 'en',
  });
  const guesses = [];
  connection.on(RealtimeEvents.PARTIAL_TRANSCRIPT, (told) => guesses.push(told.text));
  const told = await new Promise((resolve, reject) => {
    connection.on(RealtimeEvents.ERROR, reject);
    connection.on(RealtimeEvents.COMMITTED_TRANSCRIPT_WITH_TIMESTAMPS, resolve);
    connection.on(RealtimeEvents.SESSION_STARTED, async () => {
      for (let at = 0; at < audio.length; at += 3200) {
        connection.send({ audioBase64: audio.subarray(at, at + 3200).toString('base64') });
        await new Promise((done) => setTimeout(done, 25));
      }
      connection.commit();
    });
  });
  connection.close();
  assert.ok(guesses.length > 1);
  assert.equal(told.words.map((word) => word.text).join(''), told.text);
  keepFile('realtime.txt', told.text);
});

test('what no socket can be is told', async () => {
  const connection = await client.speechToText.realtime.connect({
    modelId: 'scribe_v9', audioFormat: AudioFormat.PCM_16000, sampleRate: 16000,
  });
  const told = await new Promise((resolve) => {
    connection.on(RealtimeEvents.ERROR, () => {});
    connection.on(RealtimeEvents.INVALID_REQUEST, resolve);
  });
  assert.match(told.error, /no model 'scribe_v9'/);
  connection.close();
});
