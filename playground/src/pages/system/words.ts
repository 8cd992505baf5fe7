import type { Admission } from "@/api/system";
import { counted } from "@/parts/figures";
import type { Tone } from "@/ui/badge";

/** What a worker is for, by the first part of its name, and in a few words more. */
const PURPOSES: Record<string, readonly [string, string]> = {
  stt: ["Speech to text", "What callers say, in English, while they say it."],
  turn: ["End of turn", "Whether a caller in a pause has finished."],
  tts: ["Text to speech", "The answers’ voice, in English."],
  llm: ["Language model", "Thinks of the answers."],
  whisper: ["Speech to text, all languages", "Callers who do not speak English."],
  scribe: ["Transcription of recordings", "Files, whenever callers leave time for them."],
  kokoro: ["Text to speech, Kokoro", "More voices, in several languages."],
  espeak: ["Text to speech, espeak-ng", "Languages that no other voice speaks."],
  voices: ["Text to speech, fetched voices", "Piper’s voices of other languages, from the hub."],
  embed: ["Knowledge", "Finds passages that fit a question."],
};

/** Its name for people, with a number where there are several, and what it does. */
export function purposeOf(worker: string): readonly [string, string] {
  const [role = worker, number] = worker.split(":");
  const [name, about] = PURPOSES[role] ?? [role, ""];
  return [number ? `${name} ${Number(number) + 1}` : name, about];
}

/** What the states mean. */
export const STATES: Record<string, readonly [Tone, string]> = {
  ready: ["good", ""],
  starting: ["warn", "It is being loaded."],
  asleep: ["plain", "Not loaded, and takes no memory: its first use wakes it."],
  closed: ["plain", "It was shut down."],
  failed: ["bad", "It will be started again."],
};

/** How many sessions are let in now, and why. */
export function letIn({ most, at_once, limit, refusal }: Admission): string {
  if (refusal) return `Nobody else is let in now: ${refusal}.`;
  const allowed = most == null ? "" : ` The settings allow ${counted(most, "session")} at most.`;
  if (at_once == null) return `Everybody is let in: admission is off.${allowed}`;
  if (limit != null)
    return `Up to ${counted(limit, "session")} at once: more than that were too many for this machine.${allowed}`;
  return `Up to ${counted(at_once, "session")} at once, which this machine is known or taken to hold; then one by one, as long as all are served well.${allowed}`;
}
