import type { Kind, UsedBy } from "@/api/usage";
import { csv } from "@/parts/csv";

const AMOUNTS = [
  "sessions",
  "characters",
  "audio_in_s",
  "audio_out_s",
  "input_tokens",
  "output_tokens",
  "cached_tokens",
  "compute_s",
] as const;

/** A line for each day and one of the kind, what was dropped in lines of its own. */
export function exported(
  rows: readonly UsedBy[],
  kind: Kind,
  nameOf: (id: string | null) => string,
): string {
  return csv(
    ["day", kind, "id", "dropped", ...AMOUNTS],
    rows.map((row) => {
      const id = row[kind] ?? null;
      const day = row.day?.slice(0, 10) ?? "";
      return [day, nameOf(id), id ?? "", row.dropped, ...AMOUNTS.map((name) => row[name])];
    }),
  );
}
