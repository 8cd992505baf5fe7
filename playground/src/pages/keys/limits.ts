import type { Schema } from "@/api/client";

type Limits = Schema["Limits"];

interface Limit {
  field: keyof Limits;
  label: string;
  /** How much of what the server counts stands for one of what is shown. */
  each: number;
  least: number;
}

/** What of a key's use may be limited, in units that people count in. */
export const LIMITS: readonly Limit[] = [
  { field: "requests_per_minute", label: "requests a minute", each: 1, least: 1 },
  { field: "concurrent_sessions", label: "calls at once", each: 1, least: 0 },
  { field: "characters_per_month", label: "characters spoken a month", each: 1, least: 0 },
  { field: "audio_seconds_per_month", label: "minutes of audio a month", each: 60, least: 0 },
  { field: "compute_seconds_per_month", label: "minutes of compute a month", each: 60, least: 0 },
];

const count = new Intl.NumberFormat();

/** Each limit that is set, in words. */
export function limitsIn(limits: Limits): string[] {
  return LIMITS.flatMap(({ field, label, each }) => {
    const value = limits[field];
    return typeof value === "number" ? [`${count.format(value / each)} ${label}`] : [];
  });
}
