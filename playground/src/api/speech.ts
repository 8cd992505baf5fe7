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
