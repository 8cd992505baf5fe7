import { expect, test } from "vitest";
import { amount, brief, briefTime, percent, room, time } from "./quantities";

test("times are in the units that people use", () => {
  expect([0, 4.21, 59.96, 60, 200, 3599.6, 3600, 4320, 36_000, 370_000].map(time)).toEqual([
    "0 s",
    "4.2 s",
    "1 min",
    "1 min",
    "3 min 20 s",
    "1 h",
    "1 h",
    "1 h 12 min",
    "10 h",
    "103 h",
  ]);
  expect([0.5, 90, 5400].map(briefTime)).toEqual(["0.5 s", "1.5 min", "1.5 h"]);
});

test("counts have thousands, and are short beside an axis", () => {
  expect([amount(12_400), amount(3.456), brief(12_400), brief(950)]).toEqual([
    "12,400",
    "3.5",
    "12.4K",
    "950",
  ]);
  expect([percent(0.423), room(512 * 2 ** 20), room(7.8 * 2 ** 30)]).toEqual([
    "42 %",
    "512 MB",
    "7.8 GB",
  ]);
});
