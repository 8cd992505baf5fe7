import { expect, test } from "vitest";
import { wavOf } from "./spoken";

test("a WAV file says how long it is", async () => {
  const file = wavOf([Int16Array.from([1, 2]), Int16Array.from([3])]);
  expect(file.size).toBe(44 + 6);
  const view = new DataView(await file.arrayBuffer());
  expect(view.getUint32(40, true)).toBe(6);
  expect(view.getInt16(48, true)).toBe(3);
});
