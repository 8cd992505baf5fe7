import type { Worker } from "@/api/system";

/** What a model has done since it was loaded. */
export interface Work {
  requests: number;
  /** The share of them whose first result came after its deadline. */
  late: number;
  /** How long one waited before its work began, on average, in ms. */
  waitedMs: number;
  /** How many runs took so many requests at once, smallest first. */
  batches: { size: number; runs: number }[];
  /** Requests in a run, on average. */
  together: number;
}

export function workOf({ load }: Worker): Work {
  const served = Object.values(load?.served ?? {});
  const sum = (of: (one: (typeof served)[number]) => number) =>
    served.reduce((all, one) => all + of(one), 0);
  const requests = sum(({ begun }) => begun);
  const share = (part: number) => (requests ? part / requests : 0);
  const batches = Object.entries(load?.batches ?? {})
    .map(([size, runs]) => ({ size: Number(size), runs }))
    .filter(({ runs }) => runs > 0)
    .sort((a, b) => a.size - b.size);
  const runs = batches.reduce((all, batch) => all + batch.runs, 0);
  const taken = batches.reduce((all, batch) => all + batch.runs * batch.size, 0);
  return {
    requests,
    late: share(sum(({ late }) => late)),
    waitedMs: share(sum(({ waited_ms }) => waited_ms)),
    batches,
    together: runs ? taken / runs : 0,
  };
}
