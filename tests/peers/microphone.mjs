// What the node clients share: where the server is, a microphone that is always on, a place to
// leave what was heard, and a way to wait.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const server = new URL(process.env.VOICEFORGE_URL);
export const key = process.env.VOICEFORGE_API_KEY;
const folder = process.env.VOICEFORGE_CLIPS;

export const OCEAN = 'What is the largest ocean on earth?';
export const BRIEF = 'Answer in one short sentence.';
export const AT_LENGTH = 'You tell long stories.';
export const STORY = 'Tell me a long story about a lighthouse.';

const FRAME_MS = 20;
const FRAME_BYTES = 960; // 20 ms of 24 kHz PCM
const WAV_HEADER_BYTES = 44;

/** Leaves audio and the text that it should say for the python side, which can transcribe. */
export function leave(name, chunks, text) {
  writeFileSync(join(folder, `${name}.heard.pcm`), Buffer.concat(chunks));
  writeFileSync(join(folder, `${name}.heard.txt`), text);
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Resolves with what `find` returns once that is truthy. */
export async function until(find, what, withinMs = 60_000) {
  const giveUp = Date.now() + withinMs;
  for (;;) {
    const found = find();
    if (found) return found;
    if (Date.now() > giveUp) throw new Error(`waited in vain for ${what}`);
    await sleep(10);
  }
}

/** Speech when there is some, else silence, in real time. `send` takes a Buffer of PCM16. */
export class Microphone {
  #said = Buffer.alloc(0);
  #frames = 0;
  #began = performance.now();
  #timer;

  constructor(send) {
    this.#timer = setInterval(() => this.#tick(send), FRAME_MS / 2);
    this.#timer.unref(); // a test that fails must not keep node alive
  }

  /** Speaks a clip, and returns when its last sample has been sent. */
  async say(name) {
    const pcm = readFileSync(join(folder, `${name}.wav`)).subarray(WAV_HEADER_BYTES);
    this.#said = Buffer.concat([this.#said, pcm]);
    await until(() => this.#said.length === 0, 'the end of a clip');
  }

  stop() {
    clearInterval(this.#timer);
  }

  #tick(send) {
    while (this.#began + this.#frames * FRAME_MS <= performance.now()) {
      const frame = Buffer.alloc(FRAME_BYTES);
      this.#said.copy(frame);
      this.#said = this.#said.subarray(Math.min(FRAME_BYTES, this.#said.length));
      send(frame);
      this.#frames += 1;
    }
  }
}
