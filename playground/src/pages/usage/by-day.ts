import type { Kind, UsedBy } from "@/api/usage";
import { colorOf, MOST_KINDS, REST, type Row, type Series } from "@/parts/chart/data";
import type { Measure } from "./measures";

/** What one of a kind used; null is nobody's. */
export interface Share {
  id: string | null;
  used: number;
  /** Prepared, and never heard. */
  dropped: number;
  sessions: number;
}

const DROPPED = "Prepared and dropped";

/** Each one of a kind that used any, most first. */
export function sharesOf(rows: readonly UsedBy[], kind: Kind, measure: Measure): Share[] {
  const shares = new Map<string | null, Share>();
  for (const row of rows) {
    const id = row[kind] ?? null;
    const share = shares.get(id) ?? { id, used: 0, dropped: 0, sessions: 0 };
    if (row.dropped) share.dropped += row[measure];
    else share.used += row[measure];
    share.sessions = Math.max(share.sessions, row.sessions); // what was dropped was theirs, too
    shares.set(id, share);
  }
  const all = (share: Share) => share.used + share.dropped;
  return [...shares.values()].filter(all).sort((a, b) => all(b) - all(a));
}

interface Drawn {
  series: Series[];
  rows: Row[];
}

/**
 * A row a day, also for days on which nothing was: what each one of the kind used, those who used
 * least together, and what was dropped on top.
 */
export function byDay(
  rows: readonly UsedBy[],
  kind: Kind,
  measure: Measure,
  days: readonly string[],
  nameOf: (id: string | null) => string,
): Drawn {
  const shares = sharesOf(rows, kind, measure).filter(({ used }) => used > 0);
  const whole = shares.length <= MOST_KINDS ? shares.length : MOST_KINDS - 1;
  const shown = shares.slice(0, whole).map(({ id }) => id);
  const groups: { series: Series; holds: (row: UsedBy) => boolean }[] = shown.map((id, place) => ({
    series: { name: nameOf(id), color: colorOf(place), as: "bar" },
    holds: (row) => !row.dropped && (row[kind] ?? null) === id,
  }));
  if (shares.length > whole)
    groups.push({
      series: { name: `${shares.length - whole} others`, color: REST, as: "bar" },
      holds: (row) => !row.dropped && !shown.includes(row[kind] ?? null),
    });
  if (rows.some((row) => row.dropped && row[measure] > 0))
    groups.push({
      series: { name: DROPPED, color: "var(--series-1)", as: "bar", hatched: true },
      holds: (row) => row.dropped,
    });
  const ofDay = (day: string) => rows.filter((row) => row.day?.startsWith(day));
  const sum = (some: readonly UsedBy[]) => some.reduce((all, row) => all + row[measure], 0);
  return {
    series: groups.map(({ series }) => series),
    rows: days.map((day) => {
      const on = ofDay(day);
      return { x: day, values: groups.map(({ holds }) => sum(on.filter(holds))) };
    }),
  };
}

/** By how much it is more (or less, below 0) than before, as a share; null if there was nothing. */
export function changed(now: number, before: number): number | null {
  return before > 0 ? now / before - 1 : null;
}
