import { expect, test } from "vitest";
import { quantile, spansOf, summaryOf, waited } from "./timing";

const prepared = {
  responseId: "r1",
  prepared: true,
  stages: {
    pause: 0,
    transcript: 200,
    first_token: 400,
    verdict: 600,
    promoted: 601,
    first_speech: 900,
    first_audio: 910,
  },
};

test("what was done before the verdict was prepared, the rest was waited for", () => {
  const spans = Object.fromEntries(spansOf(prepared).map((span) => [span.name, span]));
  expect(spans["Final transcript"]).toMatchObject({ fromMs: 0, toMs: 200, preparedMs: 200 });
  expect(spans["First speech"]).toMatchObject({ fromMs: 400, toMs: 900, preparedMs: 200 });
  expect(spans["End of turn"]).toMatchObject({ fromMs: 0, toMs: 600, verdict: true });
  expect(spans["First audio"]).toMatchObject({ fromMs: 900, toMs: 910, preparedMs: 0 });
});

test("an answer that was ready before the verdict is heard from the verdict on", () => {
  const stages = { pause: 0, transcript: 100, first_speech: 300, verdict: 500, first_audio: 505 };
  const heard = spansOf({ ...prepared, stages }).find(({ name }) => name === "First audio");
  expect(heard).toMatchObject({ fromMs: 500, toMs: 505 });
});

test("a typed question has no verdict, and nothing of it was prepared", () => {
  const stages = { first_token: 300, first_speech: 700, first_audio: 700 };
  const spans = spansOf({ responseId: "r", prepared: false, stages });
  expect(spans.map(({ name }) => name)).toEqual(["First token", "First speech", "First audio"]);
  expect(spans.every(({ preparedMs }) => preparedMs === 0)).toBe(true);
});

test("playout here counts in what the caller waited", () => {
  expect(waited({ ...prepared, playoutMs: 70 })).toBe(980);
  expect(spansOf({ ...prepared, playoutMs: 70 }).at(-1)).toMatchObject({ fromMs: 910, toMs: 980 });
});

test("an answer that was never heard is no wait", () => {
  const unheard = { responseId: "r2", prepared: false, stages: { first_token: 5 } };
  expect(summaryOf([prepared, unheard])).toEqual({ answers: 1, p50Ms: 910, p95Ms: 910 });
});

test("quantiles are by the nearest rank", () => {
  const values = [15, 20, 35, 40, 50];
  expect([0.05, 0.3, 0.4, 0.5, 1].map((share) => quantile(values, share))).toEqual([
    15, 20, 20, 35, 50,
  ]);
  expect(quantile([], 0.5)).toBeNull();
});
