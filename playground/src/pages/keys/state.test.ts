import { expect, test } from "vitest";
import { stateOf } from "./state";

const NOW = Date.parse("2026-11-29T12:00:00Z");
const state = (revoked_at: string | null, expires_at: string | null) =>
  stateOf({ revoked_at, expires_at }, NOW);

test("a key is good until it is revoked or expires", () => {
  expect(state(null, null)).toEqual({ dead: null, until: null, replaced: false });
  expect(state(null, "2026-12-01T00:00:00Z")).toMatchObject({
    dead: null,
    until: "2026-12-01T00:00:00Z",
    replaced: false,
  });
  expect(state(null, "2026-11-01T00:00:00Z").dead).toBe("expired");
  expect(state("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z").dead).toBe("revoked");
});

test("one that was replaced is good for its time of grace", () => {
  expect(state("2026-11-29T13:00:00Z", "2026-12-01T00:00:00Z")).toEqual({
    dead: null,
    until: "2026-11-29T13:00:00Z",
    replaced: true,
  });
});
