import { expect, test } from "vitest";
import { Words, wordAt } from "./timed-words";

test("characters become words, also over the ends of their pieces", () => {
  const words = new Words();
  words.add(["O", "n", " ", "a"], [0, 0.1, 0.2, 0.3], [0.1, 0.2, 0.3, 0.4]);
  words.add(["t", ".", " "], [0.4, 0.5, 0.6], [0.5, 0.6, 0.7]);
  words.add(["7"], [0.8], [0.9]);
  expect(words.all).toEqual([
    { text: "On", start: 0, end: 0.2 },
    { text: "at.", start: 0.3, end: 0.6 },
    { text: "7", start: 0.8, end: 0.9 },
  ]);
});

test("the word at a time is the last that has begun", () => {
  const words = [0.5, 1, 2].map((start) => ({ text: "x", start, end: start + 0.3 }));
  expect([0, 0.5, 0.9, 1.5, 9].map((at) => wordAt(words, at))).toEqual([-1, 0, 0, 1, 2]);
  expect(wordAt([], 1)).toBe(-1);
});
