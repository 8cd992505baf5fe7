import { expect, test } from "vitest";
import { wavHeader, wavOf } from "./spoken";

test("a WAV file says how long it is", () => {
  expect(wavOf([Int16Array.from([1, 2]), Int16Array.from([3])]).size).toBe(44 + 6);
  const header = wavHeader(6);
  expect(header.getUint32(4, true)).toBe(36 + 6);
  expect(header.getUint32(24, true)).toBe(24_000);
  expect(header.getUint32(40, true)).toBe(6);
});
