import { expect, test } from "vitest";
import { bars, Peaks } from "./peaks";

test("each fiftieth of a second has its loudest sample, however the sound is cut", () => {
  const peaks = new Peaks(100); // two samples a peak
  peaks.add([0.1, -0.5, 0.2]);
  peaks.add([0.3, 0.9]);
  expect(peaks.values).toEqual([0.5, 0.3]);
  const whole = new Peaks(100);
  whole.add(Int16Array.from([16384, 0, -32768, 5]), 32768);
  expect(whole.values).toEqual([0.5, 1]);
});

test("bars stand for all peaks, and few peaks still fill them", () => {
  expect(bars([0.1, 0.9, 0.2, 0.3], 2)).toEqual([0.9, 0.3]);
  expect(bars([0.5], 3)).toEqual([0.5, 0.5, 0.5]);
  expect(bars([], 2)).toEqual([0, 0]);
});
