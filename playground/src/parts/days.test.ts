import { expect, test } from "vitest";
import { dayBefore, fullDay, lastDays, shortDay } from "./days";

test("days are those of UTC", () => {
  expect(lastDays(new Date("2026-03-01T23:30:00Z"), 3)).toEqual([
    "2026-02-27",
    "2026-02-28",
    "2026-03-01",
  ]);
  expect(dayBefore(new Date("2026-03-01T00:10:00+02:00"), 0)).toBe("2026-02-28");
  expect(shortDay("2026-02-28")).toMatch(/28/);
  expect(fullDay("2026-02-28")).toMatch(/28.*2026/);
});
