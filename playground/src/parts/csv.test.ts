import { expect, test } from "vitest";
import { csv } from "./csv";

test("what would end a cell is quoted, and no name is a formula", () => {
  const rows = [
    ["Ann, the baker", 1.5, false],
    ['says "hello"', -2, true],
    ["=1+1", 0, false],
  ] as const;
  expect(csv(["name", "s", "dropped"], rows)).toBe(
    'name,s,dropped\r\n"Ann, the baker",1.5,false\r\n"says ""hello""",-2,true\r\n\'=1+1,0,false\r\n',
  );
});
