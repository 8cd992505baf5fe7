import { expect, test } from "vitest";
import { linesOf, wavOf } from "./spoken";

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

test("a WAV file says how long it is", async () => {
  const file = wavOf([Int16Array.from([1, 2]), Int16Array.from([3])]);
  expect(file.size).toBe(44 + 6);
  const view = new DataView(await file.arrayBuffer());
  expect(view.getUint32(40, true)).toBe(6);
  expect(view.getInt16(48, true)).toBe(3);
});
