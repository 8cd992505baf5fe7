import { expect, test } from "vitest";
import { linesOf } from "./lines";

test("lines are whole, however they come", async () => {
  const pieces = ['{"a":', "1}\n{", '"b":2}\n\n', '{"c":3}'];
  const stream = new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
      controller.close();
    },
  });
  const lines: string[] = [];
  for await (const line of linesOf(new Response(stream))) lines.push(line);
  expect(lines).toEqual(['{"a":1}', '{"b":2}', '{"c":3}']);
});
