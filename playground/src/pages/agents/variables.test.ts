import { expect, test } from "vitest";
import { notable, variablesOf, wanting } from "./variables";

const config = {
  session: {
    instructions: "You speak with {{ name }} about {{order.id}}, {{name}}.",
    voiceforge: { greeting: { text: "Hello {{name}} of {{ town }}" }, variables: { town: "Kiel" } },
  },
  tools: [{ type: "set_variable", variables: ["name", ""] }, { type: "wait" }],
};

test("what is named and has no value must be brought", () => {
  expect(wanting(config)).toEqual(["name", "order.id"]);
  expect(wanting({})).toEqual([]);
});

test("values and what may be noted are told", () => {
  expect(variablesOf(config)).toEqual({ town: "Kiel" });
  expect(variablesOf({ session: { voiceforge: { variables: "odd" } } })).toEqual({});
  expect(notable(config)).toEqual(["name"]);
});
