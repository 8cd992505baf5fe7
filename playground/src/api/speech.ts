import { refusalOf, unreachable } from "./refusal";
import { csrfToken, expelled, NOT_SIGNED_IN } from "./web-session";

export const FORMATS = ["mp3", "opus", "aac", "flac", "wav"] as const;

export type AudioFormat = (typeof FORMATS)[number];

/** What is to be said, and how. */
export interface Spoken {
  input: string;
  voice: string;
  response_format: AudioFormat;
  speed: number;
  pronunciation_dictionaries?: readonly { pronunciation_dictionary_id: string }[];
}

/** Have it said, as a file. Throws `Refusal`. */
export async function speak(spoken: Spoken): Promise<Blob> {
  const body = JSON.stringify(spoken);
  const headers = { "content-type": "application/json" };
  return (await post("/v1/audio/speech", { body, headers })).blob();
}

/** What is to be heard, and how. */
export interface Heard {
  file: File;
  model: string;
  language: string;
  words: string;
  /** Whether the model knows when each word was said. */
  timed: boolean;
}

/** How an answer is asked for. */
export function formatOf(timed: boolean): "json" | "verbose_json" {
  return timed ? "verbose_json" : "json";
}

export interface Segment {
  start: number;
  end: number;
  text: string;
}

export interface Transcription {
  text: string;
  language?: string;
  duration?: number;
  segments?: Segment[];
}

/** Have it transcribed, with times where the model knows them. Throws `Refusal`. */
export async function transcribe(heard: Heard, signal: AbortSignal): Promise<Transcription> {
  const body = new FormData();
  body.set("file", heard.file);
  body.set("model", heard.model);
  body.set("response_format", formatOf(heard.timed));
  if (heard.language) body.set("language", heard.language);
  if (heard.words.trim()) body.set("prompt", heard.words);
  return (await post("/v1/audio/transcriptions", { body, signal })).json();
}

/** Sound goes by `fetch` alone: the typed client reads every answer as JSON. Throws `Refusal`. */
export async function post(path: string, init: RequestInit): Promise<Response> {
  const headers = { ...init.headers, "x-csrf-token": csrfToken() };
  const response = await fetch(path, { ...init, method: "POST", headers }).catch((error) => {
    throw error instanceof DOMException && error.name === "AbortError" ? error : unreachable();
  });
  if (response.ok) return response;
  if (response.status === 401) expelled(NOT_SIGNED_IN);
  throw refusalOf(response, await response.json().catch(() => null));
}
