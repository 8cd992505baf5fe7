import { expect, test } from "vitest";
import { inSubtitles, inWebVtt } from "./subtitles";

const segments = [
  { start: 0, end: 1.5, text: " Hello. " },
  { start: 3661.0049, end: 3662.9996, text: "Late." },
];

test("times are written as SubRip has them, also past an hour", () => {
  expect(inSubtitles(segments)).toBe(
    "1\n00:00:00,000 --> 00:00:01,500\nHello.\n\n2\n01:01:01,005 --> 01:01:03,000\nLate.\n",
  );
});

test("and as WebVTT has them", () => {
  expect(inWebVtt(segments)).toBe(
    "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nHello.\n\n01:01:01.005 --> 01:01:03.000\nLate.\n",
  );
});

test("what was said ends no cue, and begins none", () => {
  const odd = [{ start: 0, end: 1, text: "a --> b\n\nc" }];
  expect(inWebVtt(odd)).toBe("WEBVTT\n\n00:00:00.000 --> 00:00:01.000\na → b\nc\n");
});
