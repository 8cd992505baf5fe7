import { expect, test } from "vitest";
import { bytes } from "./figures";

test("sizes are told in the unit that reads best", () => {
  expect(bytes(812)).toBe("812 B");
  expect(bytes(3_600)).toBe("4 kB");
  expect(bytes(20_971_520)).toBe("21.0 MB");
});
