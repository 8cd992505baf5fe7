import type { AudioFormat, Spoken } from "@/api/speech";
import type { Wanted } from "./spoken";

/** The same as a file: the body of `/v1/audio/speech`. */
export function bodyOf({ text, voice, speed, dictionary }: Wanted, format: AudioFormat): Spoken {
  return {
    input: text,
    voice,
    response_format: format,
    speed,
    ...(dictionary
      ? { pronunciation_dictionaries: [{ pronunciation_dictionary_id: dictionary }] }
      : {}),
  };
}
