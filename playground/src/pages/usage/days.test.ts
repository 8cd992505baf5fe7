import { expect, test } from "vitest";
import type { UsedBy } from "@/api/usage";
import { dayBefore, daysOf } from "./days";

const row = (day: string, compute_s: number, dropped = false) =>
  ({ day: `${day}T00:00:00Z`, compute_s, dropped }) as UsedBy;

const today = new Date("2026-03-01T23:30:00Z");

test("every day has its place, and what was dropped stands apart", () => {
  const rows = [
    row("2026-02-27", 2),
    row("2026-03-01", 5),
    row("2026-03-01", 1, true),
    row("2026-03-01", 3),
  ];
  expect(daysOf(rows, "compute_s", today, 3)).toEqual([
    { day: "2026-02-27", used: 2, dropped: 0 },
    { day: "2026-02-28", used: 0, dropped: 0 },
    { day: "2026-03-01", used: 8, dropped: 1 },
  ]);
});

test("days are those of UTC", () => {
  expect(dayBefore(new Date("2026-03-01T00:10:00+02:00"), 0)).toBe("2026-02-28");
});
