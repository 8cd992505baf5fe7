import { useQuery } from "@tanstack/react-query";
import { ChartColumn } from "lucide-react";
import { useState } from "react";
import { agents } from "@/api/agents";
import { type Group, type UsedBy, usage } from "@/api/usage";
import { CopyAs } from "@/parts/copy-as";
import { Failed } from "@/parts/failed";
import { Page } from "@/parts/page";
import { Card, CardBody, CardHeader, CardTitle } from "@/ui/card";
import { cn } from "@/ui/cn";
import { Empty } from "@/ui/empty";
import { Select } from "@/ui/field";
import { Skeleton } from "@/ui/skeleton";
import { Columns } from "./columns";
import { dayBefore, daysOf, MEASURES, type Measure } from "./days";

const SPANS = [7, 30, 90] as const;

const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

/** What is used here, by whom, and of what. */
export default function Usage() {
  const [days, setDays] = useState<number>(30);
  const [measure, setMeasure] = useState<Measure>("compute_s");
  const today = new Date();
  const since = dayBefore(today, days - 1);
  const { data, error, isPending, refetch } = useQuery(usage(since, ["day"]));
  const [, name, unit] = MEASURES.find(([one]) => one === measure) ?? MEASURES[0] ?? ["", "", ""];
  return (
    <Page
      title="Usage"
      about="What is counted is what was done, also what was prepared in a pause and dropped: that stands apart."
      actions={
        <>
          <Select
            aria-label="Days"
            className="w-36"
            value={days}
            onChange={({ target }) => setDays(Number(target.value))}
          >
            {SPANS.map((span) => (
              <option key={span} value={span}>
                {span} days
              </option>
            ))}
          </Select>
          <CopyAs call={{ method: "GET", path: `/v1/usage?from=${since}&group_by=day` }} />
        </>
      }
    >
      {error ? <Failed what="No usage to show" error={error} again={() => void refetch()} /> : null}
      <div className="grid grid-cols-2 gap-3 md:grid-cols-3 xl:grid-cols-6">
        {MEASURES.map(([one, label, unit]) => (
          <button
            key={one}
            type="button"
            aria-pressed={one === measure}
            onClick={() => setMeasure(one)}
            className={cn(
              "glass flex flex-col gap-1 rounded-card p-4 text-left transition-[border-color,transform] duration-150 hover:border-edge-strong active:scale-[0.98]",
              one === measure && "border-royal-ink",
            )}
          >
            <span className="text-soft text-xs">{label}</span>
            {isPending ? (
              <Skeleton className="h-7 w-20" />
            ) : (
              <span className="figures font-display font-semibold text-xl">
                {data ? number.format(data.used[one]) : "–"}
                {unit ? <span className="ml-1 text-soft text-sm">{unit}</span> : null}
              </span>
            )}
          </button>
        ))}
      </div>
      <Card aria-label={`${name} by day`}>
        <CardHeader>
          <CardTitle>{name} by day</CardTitle>
        </CardHeader>
        <CardBody>
          {data?.data.length === 0 ? (
            <Empty icon={ChartColumn} title="Nothing was used in these days">
              The first conversation, or the first text that is spoken, shows here within a minute.
            </Empty>
          ) : (
            <Columns
              days={daysOf(data?.data ?? [], measure, today, days)}
              unit={unit}
              name={name}
            />
          )}
        </CardBody>
      </Card>
      <div className="grid gap-5 lg:grid-cols-2">
        <By title="By model" by="model" since={since} measure={measure} unit={unit} />
        <By title="By agent" by="agent" since={since} measure={measure} unit={unit} />
      </div>
    </Page>
  );
}

interface ByProps {
  title: string;
  by: Group & ("model" | "agent");
  since: string;
  measure: Measure;
  unit: string;
}

function By({ title, by, since, measure, unit }: ByProps) {
  const { data, error, isPending } = useQuery(usage(since, [by]));
  const { data: known } = useQuery({ ...agents, enabled: by === "agent" });
  const rows = (data?.data ?? []).filter((row) => !row.dropped && row[measure] > 0);
  const most = Math.max(...rows.map((row) => row[measure]), 1e-9);
  const name = (row: UsedBy) =>
    known?.data.find(({ id }) => id === row[by])?.name || row[by] || UNNAMED[by];
  return (
    <Card aria-label={title}>
      <CardHeader>
        <CardTitle>{title}</CardTitle>
      </CardHeader>
      <CardBody>
        {isPending ? <Skeleton className="h-28" /> : null}
        {error ? <Failed what="Not known" error={error} /> : null}
        {data && rows.length === 0 ? (
          <p className="text-soft text-sm">Nothing of this kind.</p>
        ) : null}
        <ul className="flex flex-col gap-3">
          {rows
            .sort((a, b) => b[measure] - a[measure])
            .map((row) => (
              <li key={row[by] ?? ""} className="flex flex-col gap-1.5 text-sm">
                <span className="flex justify-between gap-4">
                  <span className="truncate">{name(row)}</span>
                  <span className="figures text-soft">
                    {number.format(row[measure])} {unit}
                  </span>
                </span>
                <span aria-hidden className="h-1.5 overflow-hidden rounded-full bg-sunken">
                  <span
                    className="block h-full rounded-full bg-royal-ink"
                    style={{ width: `${(row[measure] / most) * 100}%` }}
                  />
                </span>
              </li>
            ))}
        </ul>
      </CardBody>
    </Card>
  );
}

const UNNAMED = { model: "the conversation itself", agent: "own instructions" };
