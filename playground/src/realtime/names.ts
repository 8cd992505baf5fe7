/** What of the server's models and voices a conversation can use: the realtime documentation's. */

/** Voices that converse; the others only read aloud (`/v1/audio/speech`). */
const CONVERSING = ["joe", "jm_kumo", "jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro"];

interface Voice {
  voice_id: string;
  name: string;
}

export function conversing(voices: readonly Voice[]): Voice[] {
  return voices.filter(({ voice_id }) => CONVERSING.includes(voice_id));
}

/** Models that hold conversations. */
export function conversational(models: readonly string[]): string[] {
  return models.filter((id) => /realtime|^gpt-audio|^voiceforge$/.test(id) && !/whisper/.test(id));
}

/** Models that hear. */
export function transcribers(models: readonly string[]): string[] {
  return models.filter((id) => /whisper|transcribe|moonshine/.test(id));
}
