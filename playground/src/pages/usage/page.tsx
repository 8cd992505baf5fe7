import { useQuery } from "@tanstack/react-query";
import { ChartColumn, Download } from "lucide-react";
import { useState } from "react";
import { Link } from "wouter";
import { type Kind, usage } from "@/api/usage";
import { Chart } from "@/parts/chart/chart";
import { CopyAs } from "@/parts/copy-as";
import { dayBefore, fullDay, lastDays, shortDay } from "@/parts/days";
import { Failed } from "@/parts/failed";
import { Page } from "@/parts/page";
import { save } from "@/parts/save";
import { Button } from "@/ui/button";
import { Card, CardBody, CardHeader, CardTitle } from "@/ui/card";
import { Empty } from "@/ui/empty";
import { Select } from "@/ui/field";
import { Segments } from "@/ui/segments";
import { Skeleton } from "@/ui/skeleton";
import { Breakdown } from "./breakdown";
import { byDay } from "./by-day";
import { exported } from "./export";
import { type Measure, toldOf } from "./measures";
import { useNames } from "./names";
import { Tiles } from "./tiles";

const SPANS = [7, 30, 90] as const;
const KINDS: readonly (readonly [Kind, string])[] = [
  ["model", "Model"],
  ["agent", "Agent"],
  ["key", "Key"],
];

/** What is used here, by whom, and of what. */
export default function Usage() {
  const [span, setSpan] = useState<number>(30);
  const [measure, setMeasure] = useState<Measure>("compute_s");
  const [kind, setKind] = useState<Kind>("model");
  const today = new Date();
  const from = dayBefore(today, span - 1);
  const { data, error, refetch } = useQuery(usage({ from, by: ["day", kind] }));
  const before = useQuery(usage({ from: dayBefore(today, 2 * span - 1), to: from }));
  const shown = data?.group_by.includes(kind) ? data : undefined; // the last answer may be of another
  const nameOf = useNames(kind);
  const { name } = toldOf(measure);
  return (
    <Page
      title="Usage"
      about="What was done is counted, also what was prepared in a pause and then dropped: that is hatched."
      actions={
        <>
          <Select
            aria-label="Days"
            className="w-36"
            value={span}
            onChange={({ target }) => setSpan(Number(target.value))}
          >
            {SPANS.map((days) => (
              <option key={days} value={days}>
                {days} days
              </option>
            ))}
          </Select>
          <Button
            size="sm"
            disabled={!shown?.data.length}
            onClick={() =>
              save(
                `usage-by-${kind}-${from}-${dayBefore(today, 0)}.csv`,
                exported(shown?.data ?? [], kind, nameOf),
                "text/csv",
              )
            }
          >
            <Download aria-hidden /> CSV
          </Button>
          <CopyAs
            call={{ method: "GET", path: `/v1/usage?from=${from}&group_by=day&group_by=${kind}` }}
          />
        </>
      }
    >
      {error ? <Failed what="No usage to show" error={error} again={() => void refetch()} /> : null}
      <Tiles
        used={data?.used}
        dropped={data?.dropped}
        before={before.data?.used}
        days={span}
        chosen={measure}
        choose={setMeasure}
      />
      <Card aria-label={`${name} by day`}>
        <CardHeader className="flex-wrap pb-2">
          <div className="flex flex-col gap-0.5">
            <CardTitle>{name} by day</CardTitle>
            <p className="text-soft text-xs">
              {fullDay(from)} to {fullDay(dayBefore(today, 0))}, in UTC; compared with the {span}{" "}
              days before
            </p>
          </div>
          <Segments label="Apart by" options={KINDS} value={kind} onChange={setKind} />
        </CardHeader>
        <CardBody>
          {shown || error ? null : <Skeleton className="h-72" />}
          {shown?.data.length === 0 ? (
            <Empty
              icon={ChartColumn}
              title="Nothing was used in these days"
              action={
                <Button asChild variant="primary">
                  <Link href="~/app/">Hold a conversation</Link>
                </Button>
              }
            >
              The first conversation, or the first text that is spoken, shows here within a minute.
            </Empty>
          ) : null}
          {shown?.data.length ? (
            <Chart
              name={`${name} by day and ${kind}`}
              of="Day"
              {...byDay(shown.data, kind, measure, lastDays(today, span), nameOf)}
              value={toldOf(measure).inFull}
              tick={toldOf(measure).short}
              place={fullDay}
              placeTick={shortDay}
              height={264}
            />
          ) : null}
        </CardBody>
      </Card>
      <div className="grid items-start gap-5 lg:grid-cols-3">
        {KINDS.map(([one]) => (
          <Breakdown key={one} kind={one} from={from} measure={measure} />
        ))}
      </div>
    </Page>
  );
}
