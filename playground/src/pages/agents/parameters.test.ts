import { expect, test } from "vitest";
import { parametersOf, schemaOf } from "./parameters";

const PLAIN = {
  type: "object",
  properties: {
    order: { type: "string", description: "Its number.", pattern: "^[0-9]+$" },
    fast: { type: "boolean" },
  },
  required: ["order"],
  additionalProperties: false,
};

test("a plain schema is a list of arguments, and comes back as it was", () => {
  const parameters = parametersOf(PLAIN) ?? [];
  expect(parameters.map(({ name, type, required }) => [name, type, required])).toEqual([
    ["order", "string", true],
    ["fast", "boolean", false],
  ]);
  expect(schemaOf(parameters, PLAIN)).toEqual(PLAIN);
});

test("a schema that says more than a form can is none of its", () => {
  expect(parametersOf({ type: "object", $defs: {} })).toBeNull();
  expect(parametersOf({ type: "object", properties: { a: { $ref: "#" } } })).toBeNull();
  expect(parametersOf({ type: "object", required: ["a"] })).toBeNull();
  expect(parametersOf("object")).toBeNull();
});

test("no arguments are an empty object", () => {
  expect(parametersOf(undefined)).toEqual([]);
  expect(parametersOf({ type: "object" })).toEqual([]);
  expect(schemaOf([], undefined)).toEqual({ type: "object" });
});
