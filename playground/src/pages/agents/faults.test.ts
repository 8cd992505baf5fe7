import { expect, test } from "vitest";
import { Refusal } from "@/api/refusal";
import { concerns, faultOf, partOf } from "./faults";

test("a refusal says what is wrong where", () => {
  const told = "config.tools[0].url: the host cannot be filled in: name it";
  expect(faultOf(new Refusal(told, 400, null, "config.tools[0].url"))).toEqual({
    place: "config.tools[0].url",
    text: "the host cannot be filled in: name it",
  });
  const before = "Validation failed for POST /v1/agents; name: Expected `str` of length >= 1";
  expect(faultOf(new Refusal(before, 400, null, "name"))?.text).toBe(
    "Expected `str` of length >= 1",
  );
});

test("a refusal that names no place is nobody's fault", () => {
  expect(faultOf(new Refusal("too many requests", 429))).toBeNull();
  expect(faultOf(new Error("odd"))).toBeNull();
});

test("what is below a place concerns it, what only begins alike does not", () => {
  expect(concerns("config.tools[1]", "config.tools[1].headers")).toBe(true);
  expect(concerns("config.tools[1]", "config.tools[10].url")).toBe(false);
  expect(concerns("config.tools", "config.tools")).toBe(true);
});

test("the part of the editor that can mend it is opened", () => {
  const part = (place: string) => partOf({ place, text: "" });
  expect(part("config.session.tools[0].name")).toBe("tools");
  expect(part("config.session.audio.output.voice")).toBe("form");
  expect(part("config.knowledge[2]")).toBe("knowledge");
  expect(part("config.session.temperature")).toBe("json");
});
