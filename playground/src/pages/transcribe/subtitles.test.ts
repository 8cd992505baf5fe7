import { expect, test } from "vitest";
import { inSubtitles } from "./subtitles";

test("times are written as SubRip has them, also past an hour", () => {
  const segments = [
    { start: 0, end: 1.5, text: " Hello. " },
    { start: 3661.0049, end: 3662.9996, text: "Late." },
  ];
  expect(inSubtitles(segments)).toBe(
    "1\n00:00:00,000 --> 00:00:01,500\nHello.\n\n2\n01:01:01,005 --> 01:01:03,000\nLate.\n",
  );
});
