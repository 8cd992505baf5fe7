import type { Segment } from "@/api/speech";

/** Segments as SubRip has them. */
export function inSubtitles(segments: readonly Segment[]): string {
  return segments
    .map(
      ({ start, end, text }, index) =>
        `${index + 1}\n${clock(start)} --> ${clock(end)}\n${text.trim()}\n`,
    )
    .join("\n");
}

function clock(seconds: number): string {
  const ms = Math.round(seconds * 1000);
  const part = (value: number, digits: number) => String(Math.floor(value)).padStart(digits, "0");
  const [hours, minutes, rest] = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1000) % 60];
  return `${part(hours, 2)}:${part(minutes, 2)}:${part(rest, 2)},${part(ms % 1000, 3)}`;
}
