import { expect, test } from "vitest";
import { at, configIn, having, overridesOf } from "./config";

test("a field deep inside is set, and everything else stays", () => {
  const before = { session: { instructions: "Hi", audio: { input: { x: 1 } } }, llm: [] };
  const after = having(before, "session.audio.output.voice", "joe");
  expect(after).toEqual({
    session: { instructions: "Hi", audio: { input: { x: 1 }, output: { voice: "joe" } } },
    llm: [],
  });
  expect(before.session.audio).not.toHaveProperty("output");
  expect(at(after, "session.audio.output.voice")).toBe("joe");
});

test("what is taken away leaves no empty objects", () => {
  const before = { session: { voiceforge: { greeting: { text: "Hello" } } }, overrides: [] };
  expect(having(before, "session.voiceforge.greeting", undefined)).toEqual({ overrides: [] });
});

test("what is null was said to be, and stays", () => {
  expect(having({}, "session.audio.input.turn_detection", null)).toEqual({
    session: { audio: { input: { turn_detection: null } } },
  });
});

test("fields keep their order", () => {
  expect(Object.keys(having({ a: 1, b: 2, c: 3 }, "b", 4))).toEqual(["a", "b", "c"]);
});

test("JSON that is no config is told from JSON that is none", () => {
  expect(() => configIn("[]")).toThrow("JSON object");
  expect(() => configIn("{")).toThrow(SyntaxError);
  expect(configIn('{"llm": []}')).toEqual({ llm: [] });
});

test("clients may change variables, unless it is said otherwise", () => {
  expect(overridesOf({})).toEqual(["variables"]);
  expect(overridesOf({ overrides: [] })).toEqual([]);
});
