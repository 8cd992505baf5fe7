import type { Look, Worker } from "@/api/system";
import { Chart } from "@/parts/chart/chart";
import { milliseconds } from "@/parts/figures";
import { amount, brief, percent, room } from "@/parts/quantities";
import { Card } from "@/ui/card";
import { Notice } from "@/ui/notice";
import { Facts, Head } from "./facts";
import { busy, MINUTES, rowsOf } from "./history";
import { purposeOf, STATES } from "./words";
import { type Work, workOf } from "./work";

const BUSY = [{ name: "Busy", color: "var(--series-1)", as: "area" }] as const;
const RUNS = [{ name: "Runs", color: "var(--series-1)", as: "bar" }] as const;

/** A model that is loaded, or is to be: what it is for, what it does now, what it has done. */
export function ModelCard({ worker, looks }: { worker: Worker; looks: readonly Look[] }) {
  const { name, model, state = "starting", load, resident_bytes, restarts, node } = worker;
  const [purpose, about] = purposeOf(name);
  const [tone, meaning] = STATES[state] ?? ["plain", ""];
  const work = workOf(worker);
  const shares = rowsOf(looks, busy(name));
  const share = shares.at(-1)?.values[0];
  return (
    <Card aria-label={purpose} className="flex flex-col gap-4 p-5">
      <Head name={purpose} under={model} state={state} tone={tone} />
      <p className="text-soft text-sm leading-relaxed">{meaning || about}</p>
      <div className="flex items-end gap-4">
        <p className="flex w-16 flex-col">
          <span className="text-soft text-xs">Busy</span>
          <span className="figures font-display font-semibold text-lg">
            {share == null ? "–" : percent(share)}
          </span>
        </p>
        <div className="min-w-0 flex-1 overflow-hidden rounded-lg bg-sunken">
          <Chart
            name={`How busy ${purpose} was in the last minutes`}
            of="Before now"
            series={BUSY}
            rows={shares}
            value={percent}
            tick={percent}
            place={String}
            ticks={MINUTES}
            top={1}
            height={44}
            bare
          />
        </div>
      </div>
      <Facts
        facts={[
          ["Running", amount(load?.running ?? 0)],
          ["Waiting", amount(load?.queued ?? 0)],
          ["Longest wait", milliseconds(load?.oldest_ms ?? 0)],
          ["Memory", resident_bytes ? room(resident_bytes) : "–"],
          ["Restarts", amount(restarts)],
          ...(node ? ([["Machine", node]] as const) : []),
        ]}
      />
      <Done work={work} purpose={purpose} />
      {worker.error_message ? <Notice kind="bad">{worker.error_message}</Notice> : null}
    </Card>
  );
}

function Done({ work, purpose }: { work: Work; purpose: string }) {
  if (work.requests === 0)
    return <p className="border-t pt-3 text-soft text-sm">No request since it was loaded.</p>;
  return (
    <div className="flex flex-col gap-3 border-t pt-3">
      <Facts
        facts={[
          ["Requests", amount(work.requests)],
          ["Average wait", milliseconds(work.waitedMs)],
          ["Later than wanted", percent(work.late)],
          ["Requests in a batch", amount(work.together)],
        ]}
      />
      {work.batches.length > 1 ? (
        <Chart
          name={`${purpose}: runs by the size of their batch`}
          of="Requests in a batch"
          series={RUNS}
          rows={work.batches.map(({ size, runs }) => ({ x: String(size), values: [runs] }))}
          value={(runs) => `${amount(runs)} runs`}
          tick={brief}
          place={(size) => `Batches of ${size}`}
          placeTick={String}
          height={104}
          whole
          live
        />
      ) : null}
    </div>
  );
}

/** Models that are not loaded: a line each. */
export function Asleep({ workers }: { workers: readonly Worker[] }) {
  return (
    <Card aria-label="Asleep" className="flex flex-col gap-4 p-5">
      <div className="flex flex-col gap-1">
        <h3 className="font-semibold">Asleep</h3>
        <p className="text-soft text-sm leading-relaxed">
          Not loaded, and without memory: the first use wakes each, which takes some seconds. One
          that is idle for long goes back to sleep.
        </p>
      </div>
      <ul className="grid gap-x-6 gap-y-3 sm:grid-cols-2 xl:grid-cols-3">
        {workers.map(({ name, model }) => {
          const [purpose, about] = purposeOf(name);
          return (
            <li key={name} className="flex flex-col gap-0.5 text-sm">
              <span className="font-medium">{purpose}</span>
              <span className="text-soft">{about}</span>
              <span className="font-mono text-soft text-xs">{model}</span>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}
