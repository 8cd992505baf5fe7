import { expect, test } from "vitest";
import { CLIENTS, placeholders, SERVERS, secretsIn, toolsAt, withTools } from "./tools";

test("an address names arguments in single braces; double ones are variables", () => {
  expect(placeholders("https://x.example/{{town}}/orders/{order}?q={ q }{when}")).toEqual([
    "order",
    "when",
  ]);
});

test("the secrets of headers are those that they name", () => {
  expect(
    secretsIn({ authorization: "Bearer {{secret.SHOP}}", x: "{{ secret.B-1 }}{{name}}" }),
  ).toEqual(["SHOP", "B-1"]);
  expect(secretsIn(undefined)).toEqual([]);
});

test("tools are kept apart by who answers them, and an empty list is none", () => {
  const config = { session: { tools: [{ type: "function", name: "a" }] } };
  const both = withTools(config, SERVERS, [{ type: "wait" }]);
  expect(toolsAt(both, CLIENTS)).toEqual([{ type: "function", name: "a" }]);
  expect(withTools(both, CLIENTS, [])).toEqual({ tools: [{ type: "wait" }] });
});
