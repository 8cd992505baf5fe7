import type { Part, Summary } from "@/api/analytics";
import type { Row } from "@/parts/chart/data";

/** The days of a summary as rows of charts, also those without a session. */
export function rowsOf(
  parts: readonly Part[],
  days: readonly string[],
  valuesOf: (part: Part | undefined) => (number | null)[],
): Row[] {
  return days.map((day) => ({
    x: day,
    values: valuesOf(parts.find((part) => part.day?.startsWith(day))),
  }));
}

export const waits = (part: Part | undefined) => {
  const latency = part?.latency;
  return [latency?.p50_ms ?? null, latency?.p95_ms ?? null];
};

export const begun = (part: Part | undefined) => [part?.sessions ?? 0, refused(part)];

/** How many sessions could not begin. */
export function refused(summary: Pick<Summary, "refusals"> | undefined): number {
  return Object.values(summary?.refusals ?? {}).reduce((all, count) => all + count, 0);
}

/** What there was most of first. */
export function ranked(counts: Readonly<Record<string, number>> | undefined): [string, number][] {
  return Object.entries(counts ?? {}).sort(([, a], [, b]) => b - a);
}

/** A part of the answers, such as those that were interrupted. */
export function ofAnswers(count: number, { responses }: Pick<Summary, "responses">): number {
  return responses ? count / responses : 0;
}
