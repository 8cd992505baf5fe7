import { type Look, REMEMBERED_MS, type Worker } from "@/api/system";
import type { Row } from "@/parts/chart/data";

/** What became of the machine in the last minutes, as rows of charts: ms before now, and values. */

/** After so long without a look nothing is known of what was between. */
const GAP_MS = 7000;

const MINUTE_MS = 60_000;

/** The minutes that are remembered, before now. */
export const MINUTES = Array.from(
  { length: REMEMBERED_MS / MINUTE_MS + 1 },
  (_, index) => index * MINUTE_MS - REMEMBERED_MS,
);

type Values = (look: Look, before: Look | undefined) => (number | null)[];

/** A row for each look; where looks are missing, one without values, so that no line is drawn. */
export function rowsOf(looks: readonly Look[], valuesOf: Values): Row[] {
  const now = looks.at(-1)?.atMs ?? 0;
  const rows: Row[] = [];
  looks.forEach((look, index) => {
    const last = looks[index - 1];
    const before = last && look.atMs - last.atMs < GAP_MS ? last : undefined;
    const values = valuesOf(look, before);
    if (last && !before)
      rows.push({ x: (last.atMs + look.atMs) / 2 - now, values: values.map(() => null) });
    rows.push({ x: look.atMs - now, values });
  });
  return rows;
}

export const sessions: Values = ({ whole }) => [whole.sessions];

/** Requests that run, and those that wait, of all models. */
export const requests: Values = ({ whole }) => [
  sum(whole.workers, ({ load }) => load?.running),
  sum(whole.workers, ({ load }) => load?.queued),
];

/** How long the one has waited that waits longest, in ms. */
export const longestWait: Values = ({ whole }) => [
  Math.max(0, ...whole.workers.map(({ load }) => load?.oldest_ms ?? 0)),
];

/** How late the audio of any gateway was at worst in the last second, in ms. */
export const lag: Values = ({ whole }) => [
  Math.max(0, ...whole.gateways.map(({ lag_ms }) => lag_ms)),
];

/** The share of all cores that worked since the look before. */
export const cpu: Values = ({ atMs, whole }, before) => {
  const [now, then] = [whole.machine, before?.whole.machine];
  if (!now || !then || !before || now.busy_s < then.busy_s) return [null];
  const share = ((now.busy_s - then.busy_s) * 1000) / (atMs - before.atMs) / now.cores;
  return [Math.min(1, share)];
};

/** Memory in use. */
export const memory: Values = ({ whole: { machine } }) => [
  machine ? machine.memory_bytes - machine.available_bytes : null,
];

/** The share of its lanes' time in which a model worked since the look before. */
export function busy(name: string): Values {
  return ({ atMs, whole }, before) => {
    const [now, then] = [workerOf(whole.workers, name), workerOf(before?.whole.workers, name)];
    if (!before || !now?.load || !then?.load) return [null];
    const workedMs = now.load.worked_ms - then.load.worked_ms;
    if (workedMs < 0) return [null]; // it was started again
    return [Math.min(1, workedMs / (atMs - before.atMs) / Math.max(1, now.load.lanes))];
  };
}

function workerOf(workers: readonly Worker[] | undefined, name: string): Worker | undefined {
  return workers?.find((worker) => worker.name === name);
}

function sum(workers: readonly Worker[], of: (worker: Worker) => number | undefined): number {
  return workers.reduce((all, worker) => all + (of(worker) ?? 0), 0);
}
