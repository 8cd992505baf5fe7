import { z } from "zod";
import type { AnyEvent } from "./events";

/** Every event of a call, as it went over the line, but for its audio, which is told by its size. */
export interface Logged {
  number: number;
  /** Milliseconds after the call began. */
  atMs: number;
  direction: "sent" | "received";
  type: string;
  event: AnyEvent;
}

export const MOST = 5000;

const AUDIO_FIELDS: Record<string, string> = {
  "input_audio_buffer.append": "audio",
  "response.output_audio.delta": "delta",
};

/** The event as it may be shown and saved: without the sound, and the secret to come back with. */
export function presentable(event: AnyEvent): AnyEvent {
  return withoutSecret(withoutAudio(event));
}

function withoutSecret(event: AnyEvent): AnyEvent {
  const session = z.looseObject({ voiceforge: z.looseObject({ resume: z.string() }) });
  const parsed = session.safeParse(event.session);
  if (!parsed.success) return event;
  const voiceforge = { ...parsed.data.voiceforge, resume: "…" };
  return { ...event, session: { ...parsed.data, voiceforge } };
}

function withoutAudio(event: AnyEvent): AnyEvent {
  const field = AUDIO_FIELDS[event.type];
  const data = field === undefined ? undefined : event[field];
  if (field === undefined || typeof data !== "string") return event;
  const bytes = Math.floor((data.length * 3) / 4);
  return { ...event, [field]: `${data.slice(0, 12)}… (${bytes} bytes of audio)` };
}

const PINGS = ["voiceforge.ping", "voiceforge.pong"];

/** Whether it only carries sound, or asks whether anybody is there: such would bury the others. */
function isRoutine(type: string): boolean {
  return type in AUDIO_FIELDS || PINGS.includes(type);
}

/** One more event; of more than `MOST` the oldest are dropped. */
export function logged(log: readonly Logged[], one: Logged): readonly Logged[] {
  return log.length < MOST ? [...log, one] : [...log.slice(log.length - MOST + 1), one];
}

/** Those whose type, or whose JSON, has all of the words; `all`: also audio and pings. */
export function matching(log: readonly Logged[], words: string, all: boolean): readonly Logged[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return log.filter(({ type, event }) => {
    if (!all && isRoutine(type)) return false;
    if (wanted.every((word) => type.includes(word))) return true;
    const text = JSON.stringify(event).toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
}
