import { expect, test } from "vitest";
import { limitsIn } from "./limits";

test("limits are told in words, and in minutes; none are none", () => {
  expect(limitsIn({})).toEqual([]);
  expect(limitsIn({ requests_per_minute: 60, audio_seconds_per_month: 5400 })).toEqual([
    "60 requests a minute",
    "90 minutes of audio a month",
  ]);
  expect(limitsIn({ concurrent_sessions: 0, compute_seconds_per_month: null })).toEqual([
    "0 calls at once",
  ]);
});
