/** What of the server's models and voices is for what: it says so itself. */

import type { Schema } from "@/api/client";

type Voice = Schema["ElevenVoice"];
type Model = Schema["ModelObject"];

/** Voices that sessions may have; the others only read aloud. */
export function conversing(voices: readonly Voice[]): Voice[] {
  return voices.filter(({ voiceforge }) => voiceforge.converses);
}

/** Models that hold conversations. */
export function conversational(models: readonly Model[]): string[] {
  return namedFor("realtime", models);
}

/** Models that hear. */
export function transcribers(models: readonly Model[]): string[] {
  return namedFor("transcription", models);
}

function namedFor(task: Model["voiceforge"]["tasks"][number], models: readonly Model[]): string[] {
  return models.filter(({ voiceforge }) => voiceforge.tasks.includes(task)).map(({ id }) => id);
}
