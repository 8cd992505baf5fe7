import type { UsedBy } from "@/api/usage";

export type Measure =
  | "compute_s"
  | "audio_in_s"
  | "audio_out_s"
  | "input_tokens"
  | "output_tokens"
  | "characters";

/** What can be drawn, and how it is called. */
export const MEASURES: readonly (readonly [Measure, string, string])[] = [
  ["compute_s", "Compute", "s"],
  ["audio_in_s", "Heard", "s"],
  ["audio_out_s", "Spoken", "s"],
  ["input_tokens", "Tokens read", ""],
  ["output_tokens", "Tokens written", ""],
  ["characters", "Characters spoken", ""],
];

export interface Day {
  /** 2026-11-29. */
  day: string;
  used: number;
  /** Prepared, and never heard. */
  dropped: number;
}

const DAY_MS = 86_400_000;

/** One entry a day, the last `count` until `today` (in UTC), also of days on which nothing was. */
export function daysOf(
  rows: readonly UsedBy[],
  measure: Measure,
  today: Date,
  count: number,
): Day[] {
  return Array.from({ length: count }, (_, index) => {
    const day = dayBefore(today, count - 1 - index);
    const of = rows.filter((row) => row.day?.startsWith(day));
    const sum = (dropped: boolean) =>
      of.filter((row) => row.dropped === dropped).reduce((all, row) => all + row[measure], 0);
    return { day, used: sum(false), dropped: sum(true) };
  });
}

/** The day so many before, in UTC. */
export function dayBefore(today: Date, days: number): string {
  return new Date(today.getTime() - days * DAY_MS).toISOString().slice(0, 10);
}
