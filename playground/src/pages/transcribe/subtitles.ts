import type { Segment } from "@/api/transcription";

/** Segments as SubRip has them. */
export function inSubtitles(segments: readonly Segment[]): string {
  return segments.map((one, at) => `${at + 1}\n${cue(one, ",")}`).join("\n");
}

/** Segments as WebVTT has them. */
export function inWebVtt(segments: readonly Segment[]): string {
  return ["WEBVTT\n", ...segments.map((one) => cue(one, "."))].join("\n");
}

function cue({ start, end, text }: Segment, point: string): string {
  // A blank line would end it, and an arrow begin another.
  const said = text
    .trim()
    .replace(/\n\s*\n/g, "\n")
    .replaceAll("-->", "→");
  return `${clock(start, point)} --> ${clock(end, point)}\n${said}\n`;
}

function clock(seconds: number, point: string): string {
  const ms = Math.round(seconds * 1000);
  const part = (value: number, digits: number) => String(Math.floor(value)).padStart(digits, "0");
  const [hours, minutes, rest] = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1000) % 60];
  return `${part(hours, 2)}:${part(minutes, 2)}:${part(rest, 2)}${point}${part(ms % 1000, 3)}`;
}
