import { expect, test } from "vitest";
import { sessionOf, setup, toolsIn } from "./setup";

const usual = setup.parse({});

test("tools are read, and what is wrong is said with its place", () => {
  const text = '[{"type":"function","name":"get_weather"}]';
  expect(toolsIn(text)[0]).toMatchObject({ name: "get_weather", description: "" });
  expect(toolsIn("  ")).toEqual([]);
  expect(() => toolsIn('[{"type":"function","name":"get weather"}]')).toThrow("0.name: a name has");
  expect(() => toolsIn("[")).toThrow(SyntaxError);
});

test("an agent's instructions, voice and tools are left to it", () => {
  const session = sessionOf({ ...usual, agent: "agent_1", turns: "push" });
  expect(session).not.toHaveProperty("instructions");
  expect(session).not.toHaveProperty("tools");
  expect(session.audio).toEqual({
    input: { transcription: { model: "whisper-1" }, turn_detection: null },
  });
});

test("push-to-talk is a session without turn detection", () => {
  const input = { transcription: { model: "whisper-1" }, turn_detection: null };
  expect(sessionOf({ ...usual, turns: "push" }).audio).toMatchObject({ input });
});

test("a setup of an older version of this page is no obstacle", () => {
  expect(setup.safeParse({ transport: "pigeon" }).success).toBe(false);
  expect(setup.parse({ colour: "red" })).toEqual(usual);
});
