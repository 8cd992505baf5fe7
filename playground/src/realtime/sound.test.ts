import { expect, test } from "vitest";
import { fromBase64, toBase64 } from "./pcm";
import { Queue } from "./queue";
import { Resampler } from "./resampler";

const sine = (hz: number, rate: number, count: number) =>
  Float32Array.from({ length: count }, (_, at) => 0.5 * Math.sin((2 * Math.PI * hz * at) / rate));

const power = (samples: Float32Array) =>
  samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;

function through(resampler: Resampler, samples: Float32Array, block: number): Float32Array {
  const made: number[] = [];
  for (let at = 0; at < samples.length; at += block) {
    made.push(...resampler.feed(samples.subarray(at, at + block)));
  }
  return Float32Array.from(made);
}

test("PCM goes there and back", () => {
  const samples = Float32Array.of(0, 0.5, -0.5, 1, -1, 2);
  const back = fromBase64(toBase64(samples));
  expect([...back].map((value) => Math.round(value * 1000) / 1000)).toEqual([
    0, 0.5, -0.5, 1, -1, 1,
  ]);
});

test.each([
  [48_000, 24_000],
  [44_100, 24_000],
  [24_000, 48_000],
])("from %i to %i Hz speech is kept and nothing is added", (from, to) => {
  const made = through(new Resampler(from, to), sine(1000, from, from), 128);
  const steady = made.subarray(200, made.length - 200);
  expect(Math.abs(made.length - to)).toBeLessThan(60);
  expect(10 * Math.log10(power(steady) / 0.125)).toBeCloseTo(0, 1);
  const wanted = sine(1000, to, steady.length + 48);
  const errors = Array.from({ length: 48 }, (_, shift) =>
    power(steady.map((value, at) => value - (wanted[at + shift] ?? 0))),
  );
  expect(10 * Math.log10(Math.min(...errors) / 0.125)).toBeLessThan(-20);
});

test("what the lower rate cannot hold does not fold back", () => {
  const made = through(new Resampler(48_000, 24_000), sine(17_000, 48_000, 48_000), 128);
  expect(10 * Math.log10(power(made.subarray(200, 20_000)) / 0.125)).toBeLessThan(-40);
});

test("the border between blocks is not heard", () => {
  const samples = sine(440, 48_000, 9_600);
  const whole = through(new Resampler(48_000, 24_000), samples, 9_600);
  const pieces = through(new Resampler(48_000, 24_000), samples, 128);
  expect(pieces.length).toBe(whole.length);
  expect(Math.max(...pieces.map((value, at) => Math.abs(value - (whole[at] ?? 9))))).toBeLessThan(
    1e-6,
  );
});

test("the queue counts what was played of each item, and a clear tells what it cut", () => {
  const queue = new Queue();
  queue.push("a", new Float32Array(100).fill(0.1));
  queue.push("b", new Float32Array(100).fill(0.2));
  const out = new Float32Array(128);
  expect(queue.pull(out)).toBe(128);
  expect([out[99], out[100]].map((value) => value?.toFixed(1))).toEqual(["0.1", "0.2"]);
  expect(queue.clear()).toEqual([{ item: "b", samples: 28 }]);
  expect(queue.empty).toBe(true);
  expect(queue.pull(out)).toBe(0);
  expect(out.every((value) => value === 0)).toBe(true);
});

test("what has been played to its end is not cut", () => {
  const queue = new Queue();
  queue.push("a", new Float32Array(10));
  queue.pull(new Float32Array(10));
  expect(queue.clear()).toEqual([]);
});
