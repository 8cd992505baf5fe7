import { useQuery } from "@tanstack/react-query";
import { ArrowLeft, ChartSpline } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Link } from "wouter";
import { agents } from "@/api/agents";
import { analytics, type Part } from "@/api/analytics";
import { Chart } from "@/parts/chart/chart";
import type { Series } from "@/parts/chart/data";
import { CopyAs } from "@/parts/copy-as";
import { dayBefore, fullDay, lastDays, shortDay } from "@/parts/days";
import { Failed } from "@/parts/failed";
import { milliseconds } from "@/parts/figures";
import { Page } from "@/parts/page";
import { amount, brief } from "@/parts/quantities";
import { Card, CardBody, CardHeader, CardTitle } from "@/ui/card";
import { Empty } from "@/ui/empty";
import { Select } from "@/ui/field";
import { Skeleton } from "@/ui/skeleton";
import { Agents } from "./agents";
import { Counts } from "./counts";
import { Totals } from "./totals";
import { begun, refused, rowsOf, waits } from "./went";

const SPANS = [7, 30, 90] as const;

const WAITS: readonly Series[] = [
  { name: "Half of the answers within (p50)", color: "var(--series-2)", as: "line" },
  { name: "95 in 100 within (p95)", color: "var(--series-1)", as: "line" },
];
const BEGUN: readonly Series[] = [
  { name: "Held", color: "var(--series-1)", as: "bar" },
  { name: "Refused", color: "var(--series-4)", as: "bar" },
];

/** How conversations went: how long callers waited, and what went wrong. */
export default function Analytics() {
  const [span, setSpan] = useState<number>(30);
  const [agent, setAgent] = useState("");
  const { data: known } = useQuery(agents);
  const today = new Date();
  const from = dayBefore(today, span - 1);
  const { data, error, refetch } = useQuery(analytics(from, "day", agent));
  const days = lastDays(today, span);
  const chosen = agent ? `&agent=${encodeURIComponent(agent)}` : "";
  return (
    <Page
      title="Analytics"
      about="How conversations went: how long callers waited for answers, and what went wrong."
      back={
        <Link href="/" className="flex w-fit items-center gap-1.5 text-soft text-sm hover:text-ink">
          <ArrowLeft aria-hidden className="size-4" /> Sessions
        </Link>
      }
      actions={
        <>
          <Select
            aria-label="Agent"
            className="w-44"
            value={agent}
            onChange={({ target }) => setAgent(target.value)}
          >
            <option value="">Any agent</option>
            {known?.data.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </Select>
          <Select
            aria-label="Days"
            className="w-32"
            value={span}
            onChange={({ target }) => setSpan(Number(target.value))}
          >
            {SPANS.map((one) => (
              <option key={one} value={one}>
                {one} days
              </option>
            ))}
          </Select>
          <CopyAs
            call={{ method: "GET", path: `/v1/analytics?from=${from}&group_by=day${chosen}` }}
          />
        </>
      }
    >
      {error ? (
        <Failed what="No analytics to show" error={error} again={() => void refetch()} />
      ) : null}
      {data || error ? null : <Waiting />}
      {data && data.total.sessions + refused(data.total) === 0 ? (
        <Card aria-label="Analytics">
          <Empty icon={ChartSpline} title="No session began in these days">
            Every conversation is measured: what its caller waited for each answer shows here.
          </Empty>
        </Card>
      ) : null}
      {data && data.total.sessions + refused(data.total) > 0 ? (
        <>
          <Totals total={data.total} />
          <div className="grid gap-5 lg:grid-cols-2">
            <Drawn title="Wait for answers">
              <Chart
                name="How long callers waited for answers, by day"
                series={WAITS}
                rows={rowsOf(data.data, days, waits)}
                value={milliseconds}
                tick={milliseconds}
                {...BY_DAY}
              />
            </Drawn>
            <Drawn title="Sessions">
              <Chart
                name="Sessions that began and that were refused, by day"
                series={BEGUN}
                rows={rowsOf(data.data, days, begun)}
                value={amount}
                tick={brief}
                whole
                {...BY_DAY}
              />
            </Drawn>
          </div>
          <Agents from={from} nameOf={(part) => nameOf(part, known?.data ?? [])} />
          <div className="grid items-start gap-5 lg:grid-cols-2">
            <Counts title="Errors" none="None in these days." counts={data.total.errors} />
            <Counts title="Refused" none="Everybody was let in." counts={data.total.refusals} />
          </div>
        </>
      ) : null}
    </Page>
  );
}

const BY_DAY = { of: "Day", place: fullDay, placeTick: shortDay } as const;

function Drawn({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Card aria-label={title} className="min-w-0">
      <CardHeader>
        <CardTitle>{title}</CardTitle>
      </CardHeader>
      <CardBody>{children}</CardBody>
    </Card>
  );
}

function nameOf(part: Part, known: readonly { id: string; name: string }[]): string {
  if (!part.agent) return "Without an agent";
  return known.find(({ id }) => id === part.agent)?.name ?? part.agent;
}

function Waiting() {
  return (
    <div role="status" aria-label="Loading" className="flex flex-col gap-5">
      <Skeleton className="h-24 rounded-card" />
      <div className="grid gap-5 lg:grid-cols-2">
        <Skeleton className="h-72 rounded-card" />
        <Skeleton className="h-72 rounded-card" />
      </div>
    </div>
  );
}
