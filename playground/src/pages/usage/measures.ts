import { amount, brief, briefTime, time } from "@/parts/quantities";

/** What can be drawn. */
export type Measure =
  | "compute_s"
  | "audio_in_s"
  | "audio_out_s"
  | "input_tokens"
  | "output_tokens"
  | "characters";

interface Told {
  measure: Measure;
  name: string;
  what: string;
  inFull: (value: number) => string;
  short: (value: number) => string;
}

const times = { inFull: time, short: briefTime };
const counts = { inFull: amount, short: brief };

export const MEASURES: readonly [Told, ...Told[]] = [
  { measure: "compute_s", name: "Compute", what: "time of the models", ...times },
  { measure: "audio_in_s", name: "Heard", what: "speech that came in", ...times },
  { measure: "audio_out_s", name: "Spoken", what: "speech that went out", ...times },
  { measure: "input_tokens", name: "Tokens read", what: "by the language model", ...counts },
  { measure: "output_tokens", name: "Tokens written", what: "by the language model", ...counts },
  { measure: "characters", name: "Characters", what: "that were spoken", ...counts },
];

export function toldOf(measure: Measure): Told {
  return MEASURES.find((one) => one.measure === measure) ?? MEASURES[0];
}
