import { expect, test } from "vitest";
import { toldApart } from "./names";

test("two of one name are told apart, and one without a name is known by its id", () => {
  const names = toldApart([
    { id: "key_aaaa1111", name: "laptop" },
    { id: "key_bbbb2222", name: "kiosk" },
    { id: "key_cccc3333", name: "laptop" },
    { id: "key_dddd4444", name: "" },
  ]);
  expect([...names]).toEqual([
    ["key_aaaa1111", "laptop (…1111)"],
    ["key_bbbb2222", "kiosk"],
    ["key_cccc3333", "laptop (…3333)"],
  ]);
});
