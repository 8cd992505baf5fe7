import type { Look } from "@/api/system";
import { Chart } from "@/parts/chart/chart";
import type { Row, Series } from "@/parts/chart/data";
import { milliseconds } from "@/parts/figures";
import { amount, percent, room, time } from "@/parts/quantities";
import { Card } from "@/ui/card";
import { cpu, lag, longestWait, MINUTES, memory, requests, rowsOf, sessions } from "./history";

const area = (name: string, color: number): Series => ({
  name,
  color: `var(--series-${color})`,
  as: "area",
});

/** The last minutes of the whole machine. */
export function LiveCharts({ looks }: { looks: readonly Look[] }) {
  const has = looks.at(-1)?.whole.machine;
  return (
    <div className="grid gap-4 md:grid-cols-2 xl:grid-cols-3">
      <Live
        name="Sessions"
        series={[area("Sessions", 1)]}
        rows={rowsOf(looks, sessions)}
        value={amount}
        whole
      />
      <Live
        name="Requests to the models"
        series={[area("Running", 1), area("Waiting", 3)]}
        rows={rowsOf(looks, requests)}
        value={amount}
        whole
      />
      <Live
        name="Longest wait"
        series={[area("Longest wait", 4)]}
        rows={rowsOf(looks, longestWait)}
        value={milliseconds}
      />
      <Live
        name="Lateness of audio"
        series={[area("Lateness", 3)]}
        rows={rowsOf(looks, lag)}
        value={milliseconds}
      />
      {has ? (
        <>
          <Live
            name="Processor"
            series={[area("Processor", 2)]}
            rows={rowsOf(looks, cpu)}
            value={percent}
            top={1}
          />
          <Live
            name="Memory"
            series={[area("Memory", 5)]}
            rows={rowsOf(looks, memory)}
            value={room}
            top={has.memory_bytes}
          />
        </>
      ) : null}
    </div>
  );
}

interface LiveProps {
  name: string;
  series: readonly Series[];
  rows: readonly Row[];
  value: (value: number) => string;
  top?: number;
  whole?: boolean;
}

function Live({ name, rows, value, ...rest }: LiveProps) {
  const known = rows.at(-1)?.values.filter((one) => one !== null) ?? [];
  const now = known.length ? known.reduce((all, one) => all + one, 0) : null;
  return (
    <Card aria-label={name} className="flex flex-col gap-3 p-4">
      <div className="flex items-baseline justify-between gap-3">
        <h3 className="text-soft text-sm">{name}</h3>
        <p className="figures font-display font-semibold text-lg">
          {now === null ? "–" : value(now)}
        </p>
      </div>
      <Chart
        name={`${name}, the last five minutes`}
        of="Before now"
        rows={rows}
        value={value}
        tick={value}
        place={ago}
        placeTick={minutes}
        ticks={MINUTES}
        height={132}
        live
        {...rest}
      />
    </Card>
  );
}

function ago(ms: string | number): string {
  return ms === 0 ? "now" : `${time(Math.round(-ms / 1000))} ago`;
}

function minutes(ms: string | number): string {
  return ms === 0 ? "now" : `−${-ms / 60_000} min`;
}
