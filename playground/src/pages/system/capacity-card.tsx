import { Gauge } from "lucide-react";
import type { Admission, Measured } from "@/api/system";
import { Chart } from "@/parts/chart/chart";
import type { Mark } from "@/parts/chart/data";
import { Copy } from "@/parts/copy";
import { counted, milliseconds, moment } from "@/parts/figures";
import { Badge } from "@/ui/badge";
import { Card, CardBody, CardHeader, CardTitle } from "@/ui/card";
import { Empty } from "@/ui/empty";

const COMMAND = ".venv/bin/voiceforge capacity";

const WAITS = [
  { name: "Half of the answers within (p50)", color: "var(--series-2)", as: "line" },
  { name: "95 in 100 within (p95)", color: "var(--series-1)", as: "line" },
] as const;

interface Props {
  measured: Measured | null | undefined;
  admission: Admission | null | undefined;
}

/** How long callers wait the more of them there are, as it was measured, and what was learnt since. */
export function CapacityCard({ measured, admission }: Props) {
  return (
    <Card aria-label="Capacity">
      <CardHeader className="flex-wrap">
        <CardTitle>Capacity</CardTitle>
        {measured ? (
          <p className="text-soft text-xs">
            Measured {moment(measured.at)} on {measured.machine}
          </p>
        ) : null}
      </CardHeader>
      <CardBody className="flex flex-col gap-5">
        {measured ? <Curve measured={measured} admission={admission} /> : <Unmeasured />}
        <Learnt measured={measured} admission={admission} />
      </CardBody>
    </Card>
  );
}

function Curve({ measured, admission }: Props & { measured: Measured }) {
  const { levels, held, limit, bound_ms } = measured;
  const learnt = admission?.limit;
  const marks: Mark[] = [
    { y: bound_ms, name: "As long as callers may wait", color: "var(--warn)" },
    { x: held, name: `Measured: ${counted(held, "caller")} served well`, color: "var(--good)" },
  ];
  if (learnt != null && learnt !== limit)
    marks.push({
      x: learnt,
      name: `Learnt while serving: ${counted(learnt, "caller")}`,
      color: "var(--series-4)",
    });
  return (
    <>
      <p className="max-w-3xl text-soft text-sm leading-relaxed">
        This machine serves{" "}
        <strong className="font-semibold text-ink">
          {counted(held, "caller")}
          {limit == null ? " or more" : ""}
        </strong>{" "}
        well: all are answered, and 95 in 100 answers come within {milliseconds(bound_ms)}, one and
        a half times what the first ones waited.
      </p>
      <Chart
        name="How long callers waited for answers, by how many they were"
        of="Callers"
        series={WAITS}
        rows={levels.map(({ callers, p50_ms, p95_ms }) => ({
          x: callers,
          values: [p50_ms ?? null, p95_ms ?? null],
        }))}
        value={milliseconds}
        tick={milliseconds}
        place={(callers) => counted(Number(callers), "caller")}
        placeTick={String}
        ticks={levels.map(({ callers }) => callers)}
        marks={marks}
        height={264}
      />
      <Levels measured={measured} />
    </>
  );
}

function Levels({ measured: { levels, bound_ms } }: { measured: Measured }) {
  return (
    <section className="overflow-x-auto" tabIndex={0} aria-label="Levels">
      <table className="figures w-full min-w-96 text-right text-sm">
        <thead className="text-soft text-xs">
          <tr className="[&>th]:pb-2 [&>th]:font-medium">
            <th scope="col" className="text-left">
              Callers
            </th>
            <th scope="col">Answers</th>
            <th scope="col">p50</th>
            <th scope="col">p95</th>
            <th scope="col">Unanswered</th>
            <th scope="col">Served well</th>
          </tr>
        </thead>
        <tbody>
          {levels.map(({ callers, answers, lost, p50_ms, p95_ms }) => {
            const well = lost === 0 && p95_ms != null && p95_ms <= bound_ms;
            return (
              <tr key={callers} className="border-t [&>td]:py-1.5">
                <th scope="row" className="py-1.5 text-left font-medium">
                  {callers}
                </th>
                <td>{answers}</td>
                <td>{p50_ms == null ? "–" : milliseconds(p50_ms)}</td>
                <td>{p95_ms == null ? "–" : milliseconds(p95_ms)}</td>
                <td className={lost ? "text-bad" : ""}>{lost}</td>
                <td className={well ? "text-good" : "text-warn"}>{well ? "yes" : "no"}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

function Unmeasured() {
  return (
    <Empty
      icon={Gauge}
      title="How many callers does this machine serve well?"
      action={
        <div className="flex max-w-full items-center gap-2 rounded-field border bg-sunken py-1 pr-1 pl-4">
          <code className="truncate text-sm">{COMMAND}</code>
          <Copy text={COMMAND} />
        </div>
      }
    >
      This command finds out: it lets more and more callers talk to a server of its own, half a
      minute a level, until answers come late. Run it with this server’s settings while nothing else
      is busy; the curve then shows here, and from its next start on the server lets so many in.
    </Empty>
  );
}

function Learnt({ measured, admission }: Props) {
  if (admission?.at_once == null) return null;
  const { at_once, limit } = admission;
  if (measured && measured.limit === limit) return null; // it lets in what was measured
  return (
    <p className="flex flex-wrap items-center gap-x-3 gap-y-2 border-t pt-4 text-soft text-sm">
      <Badge tone="royal">learnt while serving</Badge>
      {limit == null
        ? `${counted(at_once, "session")} at once; no number was too many yet.`
        : `${counted(limit, "session")} at once; more were too many.`}
    </p>
  );
}
