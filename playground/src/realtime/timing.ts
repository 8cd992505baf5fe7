/** Where the time of one answer went, from the server's own measurement. */

export interface Measured {
  responseId: string;
  /** Milliseconds after the caller's last voiced sample (of a typed question: after it was asked). */
  stages: Readonly<Record<string, number>>;
  /** The answer was begun in a pause, before the turn was known to be over. */
  prepared: boolean;
  /** Between the first audio's arrival here and its first sample at the loudspeaker, in ms. */
  playoutMs?: number;
}

export interface Span {
  name: string;
  fromMs: number;
  toMs: number;
  /** How much of it was done before anybody knew that the turn was over, in ms. */
  preparedMs: number;
  /** What decides, beside what works. */
  verdict: boolean;
}

const WORK = [
  ["transcript", "Final transcript"],
  ["recalled", "Knowledge"],
  ["first_token", "First token"],
  ["first_speech", "First speech"],
] as const;

/** The spans of an answer, in order of work; the turn's verdict stands where it fell. */
export function spansOf({ stages, playoutMs }: Measured): Span[] {
  const verdict = stages.verdict;
  const over = verdict ?? 0;
  const spans: Span[] = [];
  const add = (name: string, fromMs: number, toMs: number, isVerdict = false) => {
    const preparedMs = isVerdict ? 0 : Math.max(0, Math.min(toMs, over) - fromMs);
    spans.push({ name, fromMs, toMs: Math.max(fromMs, toMs), preparedMs, verdict: isVerdict });
  };
  let at = 0;
  for (const [stage, name] of WORK) {
    const reached = stages[stage];
    if (reached === undefined) continue;
    add(name, at, reached);
    at = Math.max(at, reached);
  }
  if (verdict !== undefined) add("End of turn", 0, verdict, true);
  const heard = stages.first_audio;
  if (heard !== undefined) {
    add("First audio", Math.min(Math.max(at, over), heard), heard);
    if (playoutMs !== undefined) add("Playout here", heard, heard + playoutMs);
  }
  return spans;
}

/** How long the caller waited for the answer, in ms; null if it was never heard. */
export function waited({ stages, playoutMs = 0 }: Measured): number | null {
  return stages.first_audio === undefined ? null : stages.first_audio + playoutMs;
}

/** The `share` quantile (0 to 1) by the nearest rank; null of nothing. */
export function quantile(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}

export interface Summary {
  answers: number;
  p50Ms: number | null;
  p95Ms: number | null;
}

/** How long callers waited, of all answers that were heard. */
export function summaryOf(all: readonly Measured[]): Summary {
  const waits = all.flatMap((one) => waited(one) ?? []);
  return { answers: waits.length, p50Ms: quantile(waits, 0.5), p95Ms: quantile(waits, 0.95) };
}
