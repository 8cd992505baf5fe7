import { expect, test } from "vitest";
import type { Look, Whole, Worker } from "@/api/system";
import { busy, cpu, lag, longestWait, memory, requests, rowsOf, sessions } from "./history";
import { letIn, purposeOf } from "./words";
import { workOf } from "./work";

const load = { queued: 0, oldest_ms: 0, running: 0, busy_ms: 0, lanes: 1, worked_ms: 0 };

function worker(name: string, of: Partial<Worker["load"]> = {}): Worker {
  return { name, state: "ready", load: { ...load, ...of } } as Worker;
}

function look(atMs: number, workers: Worker[], busy_s = 0, restSessions = 0): Look {
  const machine = { cpu: "", cores: 2, busy_s, memory_bytes: 100, available_bytes: 40, gpus: [] };
  const whole: Whole = { gateway: 0, sessions: restSessions, gateways: [], workers, machine };
  return { atMs, whole };
}

test("shares are of the time between two looks", () => {
  const looks = [
    look(1000, [worker("stt", { worked_ms: 100, lanes: 2 })], 10),
    look(3000, [worker("stt", { worked_ms: 2100, lanes: 2 })], 11),
  ];
  expect(rowsOf(looks, cpu)).toEqual([
    { x: -2000, values: [null] },
    { x: 0, values: [0.25] },
  ]);
  expect(rowsOf(looks, busy("stt")).at(-1)?.values).toEqual([0.5]);
  expect(rowsOf(looks, memory).at(-1)?.values).toEqual([60]);
});

test("a model that was started again counts from nothing", () => {
  const looks = [
    look(0, [worker("stt", { worked_ms: 9000 })]),
    look(2000, [worker("stt", { worked_ms: 10 })]),
  ];
  expect(rowsOf(looks, busy("stt")).at(-1)?.values).toEqual([null]);
});

test("nothing is drawn over a time in which nobody looked", () => {
  const looks = [look(0, [], 0, 3), look(2000, [], 0, 4), look(60_000, [], 0, 5)];
  expect(rowsOf(looks, sessions)).toEqual([
    { x: -60_000, values: [3] },
    { x: -58_000, values: [4] },
    { x: -29_000, values: [null] },
    { x: 0, values: [5] },
  ]);
  expect(rowsOf(looks, cpu).at(-1)?.values).toEqual([null]);
});

test("requests are of all models, the wait is the longest", () => {
  const workers = [
    worker("stt", { running: 2, queued: 1, oldest_ms: 40 }),
    worker("llm", { running: 1, queued: 4, oldest_ms: 900 }),
  ];
  const looks = [look(0, workers)];
  expect(rowsOf(looks, requests)[0]?.values).toEqual([3, 5]);
  expect(rowsOf(looks, longestWait)[0]?.values).toEqual([900]);
  expect(rowsOf(looks, lag)[0]?.values).toEqual([0]);
});

test("batches are counted by their size, and work by what came of it", () => {
  const served = {
    "1": { begun: 6, waited_ms: 90, late: 2, compute_ms: 1 },
    "3": { begun: 2, waited_ms: 10, late: 0, compute_ms: 1 },
  };
  expect(workOf(worker("stt", { served, batches: { "4": 1, "1": 4, "2": 0 } }))).toEqual({
    requests: 8,
    late: 0.25,
    waitedMs: 12.5,
    batches: [
      { size: 1, runs: 4 },
      { size: 4, runs: 1 },
    ],
    together: 8 / 5,
  });
  expect(workOf(worker("stt"))).toMatchObject({ requests: 0, late: 0, together: 0 });
});

test("workers have names for people, also those that nobody has named yet", () => {
  expect(purposeOf("stt:1")[0]).toBe("Speech to text 2");
  expect(purposeOf("something")).toEqual(["something", ""]);
});

test("it is said how many are let in, and why", () => {
  const admission = { present: 1, most: null, at_once: 4, limit: null, pressure: 0, refusal: null };
  expect(letIn(admission)).toMatch(/^Up to 4 sessions at once, .* then one by one/);
  expect(letIn({ ...admission, limit: 6 })).toMatch(/^Up to 6 sessions at once: more than that/);
  expect(letIn({ ...admission, at_once: null, most: 3 })).toMatch(
    /off\. The settings allow 3 sessions/,
  );
  expect(letIn({ ...admission, refusal: "1 sessions are open" })).toMatch(
    /^Nobody else .* are open/,
  );
});
