import type { TimedWord } from "@/parts/timed-words";
import { linesOf } from "./lines";
import { Refusal } from "./refusal";
import { post } from "./speech";

/** What is to be heard, and how. */
export interface Heard {
  file: File;
  model: string;
  language: string;
  words: string;
  /** Whether the model knows when each word was said. */
  timed: boolean;
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
  words?: { word: string; start: number; end: number }[];
}

/** How far it is: the text until now, and the seconds that it is of. */
export interface Progress {
  text: string;
  heardS: number;
  durationS: number;
}

/** The fields of the form that asks for it, without the file. */
export function fieldsOf({ model, language, words, timed }: Omit<Heard, "file">) {
  return {
    model,
    response_format: timed ? "verbose_json" : "json",
    ...(language ? { language } : {}),
    ...(words.trim() ? { prompt: words } : {}),
  };
}

/** Have it transcribed; `progress` is told each half minute of it. Throws `Refusal`. */
export async function transcribe(
  heard: Heard,
  signal: AbortSignal,
  progress: (far: Progress) => void,
): Promise<Transcription> {
  const body = new FormData();
  body.set("file", heard.file);
  for (const [name, value] of Object.entries(fieldsOf(heard))) body.set(name, value);
  body.set("stream", "true");
  if (heard.timed) {
    body.append("timestamp_granularities[]", "word");
    body.append("timestamp_granularities[]", "segment");
  }
  const response = await post("/v1/audio/transcriptions", { body, signal });
  let text = "";
  for await (const event of eventsOf(response)) {
    if (event.type === "error") throw new Refusal(event.error.message, 500, event.error.code);
    if (event.type === "transcript.text.done") return event;
    text += event.delta;
    progress({ text, heardS: event.heard_s, durationS: event.duration_s });
  }
  throw new Refusal("The server stopped in the middle: try again.", 0);
}

type Event =
  | { type: "transcript.text.delta"; delta: string; heard_s: number; duration_s: number }
  | ({ type: "transcript.text.done" } & Transcription)
  | { type: "error"; error: { message: string; code: string } };

async function* eventsOf(response: Response): AsyncGenerator<Event> {
  for await (const line of linesOf(response)) {
    if (line.startsWith("data: ") && line !== "data: [DONE]") yield JSON.parse(line.slice(6));
  }
}

/** The words with their times; none where the model knows none. */
export function wordsOf({ words = [] }: Transcription): TimedWord[] {
  return words.map(({ word, start, end }) => ({ text: word, start, end }));
}
