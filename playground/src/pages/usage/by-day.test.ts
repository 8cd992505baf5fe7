import { expect, test } from "vitest";
import type { UsedBy } from "@/api/usage";
import { lastDays } from "@/parts/days";
import { byDay, changed, sharesOf } from "./by-day";

const row = (day: string, model: string | null, compute_s: number, dropped = false) =>
  ({ day: `${day}T00:00:00Z`, model, compute_s, dropped, sessions: 1 }) as UsedBy;

const DAYS = lastDays(new Date("2026-03-01T23:30:00Z"), 3);
const named = (id: string | null) => id ?? "nobody";

test("every day has its place, each model its column, and what was dropped stands on top", () => {
  const rows = [
    row("2026-02-27", "tts", 2),
    row("2026-03-01", "tts", 5),
    row("2026-03-01", null, 3),
    row("2026-03-01", "tts", 1, true),
    row("2026-03-01", "stt", 0),
  ];
  const { series, rows: drawn } = byDay(rows, "model", "compute_s", DAYS, named);
  expect(series.map(({ name, hatched }) => [name, hatched ?? false])).toEqual([
    ["tts", false],
    ["nobody", false],
    ["Prepared and dropped", true],
  ]);
  expect(drawn).toEqual([
    { x: "2026-02-27", values: [2, 0, 0] },
    { x: "2026-02-28", values: [0, 0, 0] },
    { x: "2026-03-01", values: [5, 3, 1] },
  ]);
});

test("those who used least are drawn together, and nothing is lost", () => {
  const rows = Array.from({ length: 9 }, (_, index) => row("2026-03-01", `m${index}`, 10 - index));
  const { series, rows: drawn } = byDay(rows, "model", "compute_s", DAYS, named);
  expect(series.map(({ name }) => name)).toEqual(["m0", "m1", "m2", "m3", "5 others"]);
  expect(drawn[2]?.values).toEqual([10, 9, 8, 7, 6 + 5 + 4 + 3 + 2]);
});

test("shares are by who used most, with what was dropped of theirs", () => {
  const rows = [
    row("2026-03-01", "tts", 1),
    row("2026-03-01", "llm", 4),
    row("2026-03-01", "llm", 2, true),
    row("2026-03-01", "idle", 0),
  ];
  expect(sharesOf(rows, "model", "compute_s")).toEqual([
    { id: "llm", used: 4, dropped: 2, sessions: 1 },
    { id: "tts", used: 1, dropped: 0, sessions: 1 },
  ]);
});

test("a change needs something to compare with", () => {
  expect([changed(15, 10), changed(5, 10), changed(5, 0)]).toEqual([0.5, -0.5, null]);
});
