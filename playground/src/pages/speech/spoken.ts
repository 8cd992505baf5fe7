import type { Schema } from "@/api/client";
import { linesOf } from "@/api/lines";
import { post } from "@/api/speech";

export const RATE_HZ = 24_000;

/** What is to be said, and how. */
export interface Wanted {
  text: string;
  voice: string;
  speed: number;
  /** A pronunciation dictionary's id; empty: none. */
  dictionary: string;
}

/** The next of it: 16-bit samples, and characters with the times at which they are heard. */
export interface Piece {
  samples: Int16Array<ArrayBuffer>;
  alignment: Schema["Alignment"] | null;
}

/** Have it said, piece by piece, as it is made. Throws `Refusal`. */
export async function* spoken(wanted: Wanted, signal: AbortSignal): AsyncGenerator<Piece> {
  const { text, voice, speed, dictionary } = wanted;
  const path = `/v1/text-to-speech/${encodeURIComponent(voice)}/stream/with-timestamps`;
  const body = JSON.stringify({
    text,
    voice_settings: { speed },
    ...(dictionary
      ? { pronunciation_dictionary_locators: [{ pronunciation_dictionary_id: dictionary }] }
      : {}),
  });
  const headers = { "content-type": "application/json" };
  const response = await post(`${path}?output_format=pcm_${RATE_HZ}`, { body, headers, signal });
  for await (const line of linesOf(response)) {
    const { audio_base64, alignment } = JSON.parse(line) as Schema["TimedAudio"];
    yield { samples: samplesIn(audio_base64), alignment: alignment ?? null };
  }
}

function samplesIn(base64: string): Int16Array<ArrayBuffer> {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  return new Int16Array(bytes.buffer, 0, bytes.length >> 1);
}

/** Samples as a WAV file. */
export function wavOf(pieces: readonly Int16Array<ArrayBuffer>[]): Blob {
  const size = pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return new Blob([wavHeader(size), ...pieces], { type: "audio/wav" });
}

/** Of a WAV file with so many bytes of samples. */
export function wavHeader(size: number): DataView<ArrayBuffer> {
  const head = new DataView(new ArrayBuffer(44));
  const text = (at: number, letters: string) =>
    [...letters].forEach((letter, index) => {
      head.setUint8(at + index, letter.charCodeAt(0));
    });
  text(0, "RIFF");
  head.setUint32(4, 36 + size, true);
  text(8, "WAVEfmt ");
  head.setUint32(16, 16, true);
  head.setUint16(20, 1, true); // PCM
  head.setUint16(22, 1, true); // mono
  head.setUint32(24, RATE_HZ, true);
  head.setUint32(28, RATE_HZ * 2, true);
  head.setUint16(32, 2, true);
  head.setUint16(34, 16, true);
  text(36, "data");
  head.setUint32(40, size, true);
  return head;
}
