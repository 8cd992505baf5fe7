import { expect, test } from "vitest";
import { type Logged, logged, MOST, matching, presentable } from "./log";

const one = (number: number, type: string, event = {}): Logged => ({
  number,
  atMs: 0,
  direction: "received",
  type,
  event: { type, ...event },
});

test("audio is told by its size", () => {
  const event = { type: "response.output_audio.delta", delta: "A".repeat(2560), item_id: "a" };
  const shown = presentable(event);
  expect(shown.delta).toBe("AAAAAAAAAAAA… (1920 bytes of audio)");
  expect(shown.item_id).toBe("a");
});

test("the secret to come back with is neither shown nor saved", () => {
  const session = { id: "s", voiceforge: { resume: "secret", record: false } };
  const shown = presentable({ type: "session.created", session });
  expect(JSON.stringify(shown)).not.toContain("secret");
  expect(shown.session).toMatchObject({ id: "s", voiceforge: { record: false } });
});

test("the oldest is dropped when there are too many", () => {
  const full = Array.from({ length: MOST }, (_, index) => one(index, "x"));
  const next = logged(full, one(MOST, "y"));
  expect(next).toHaveLength(MOST);
  expect(next[0]?.number).toBe(1);
  expect(next.at(-1)?.type).toBe("y");
});

test("words are looked for in the type and in the content; audio and pings are hidden unless all is wanted", () => {
  const log = [
    one(1, "response.done", { response: { status: "cancelled" } }),
    one(2, "response.output_audio.delta"),
    one(3, "session.created"),
    one(4, "voiceforge.ping"),
  ];
  const numbers = (words: string, all = false) => matching(log, words, all).map((e) => e.number);
  expect(numbers("")).toEqual([1, 3]);
  expect(numbers("", true)).toEqual([1, 2, 3, 4]);
  expect(numbers("done CANCELLED")).toEqual([1]);
  expect(numbers("created")).toEqual([3]);
});
