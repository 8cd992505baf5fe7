import { expect, test } from "vitest";
import type { Part } from "@/api/analytics";
import { begun, ofAnswers, ranked, rowsOf, waits } from "./went";

const PART = {
  day: "2026-03-01T00:00:00Z",
  sessions: 4,
  latency: { answers: 9, p50_ms: 700, p95_ms: 1200, p99_ms: 1500 },
  refusals: { no_capacity: 2, full: 1 },
} as unknown as Part;

test("a day without sessions has no waits, and none that began", () => {
  const days = ["2026-02-28", "2026-03-01"];
  expect(rowsOf([PART], days, waits)).toEqual([
    { x: "2026-02-28", values: [null, null] },
    { x: "2026-03-01", values: [700, 1200] },
  ]);
  expect(rowsOf([PART], days, begun).map(({ values }) => values)).toEqual([
    [0, 0],
    [4, 3],
  ]);
});

test("what there was most of comes first, and of no answers nothing is a part", () => {
  expect(ranked({ full: 1, no_capacity: 2 })).toEqual([
    ["no_capacity", 2],
    ["full", 1],
  ]);
  expect([ofAnswers(1, { responses: 4 }), ofAnswers(0, { responses: 0 })]).toEqual([0.25, 0]);
});
