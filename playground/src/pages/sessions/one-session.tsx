import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ArrowLeft, Trash2 } from "lucide-react";
import { useRef } from "react";
import { Link, useLocation } from "wouter";
import { Refusal } from "@/api/refusal";
import { forget, lasted, type Record, session } from "@/api/sessions";
import { Confirm } from "@/parts/confirm";
import { CopyAs } from "@/parts/copy-as";
import { End } from "@/parts/ends";
import { Failed } from "@/parts/failed";
import { duration, milliseconds, moment } from "@/parts/figures";
import { Page } from "@/parts/page";
import { quantile } from "@/realtime/timing";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { Skeleton } from "@/ui/skeleton";
import { toast } from "@/ui/toast";
import { DigestCard } from "./digest-card";
import { Player, type PlayerHandle } from "./player";
import { Turns } from "./turns";
import { UsageCard } from "./usage-card";

/** One conversation, as it was heard. */
export function OneSession({ id }: { id: string }) {
  const { data, error, isPending, refetch } = useQuery(session(id));
  const player = useRef<PlayerHandle>(null);
  const seek = (ms: number) => player.current?.playFrom(ms);
  return (
    <Page
      title={data ? moment(data.began_at) : "Session"}
      back={<Back />}
      about={<span className="break-all font-mono text-xs">{id}</span>}
      actions={
        <>
          <CopyAs call={{ method: "GET", path: `/v1/sessions/${encodeURIComponent(id)}` }} />
          {data?.ended_at ? <Delete id={id} /> : null}
        </>
      }
    >
      {isPending ? <Waiting /> : null}
      {error ? <Failed what={missing(error)} error={error} again={() => void refetch()} /> : null}
      {data ? (
        <>
          <Facts record={data} />
          <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_20rem]">
            <div className="flex min-w-0 flex-col gap-5">
              {data.recorded ? <Player ref={player} record={data} /> : null}
              <Turns turns={data.turns} seek={data.recorded ? seek : null} />
            </div>
            <div className="flex min-w-0 flex-col gap-5">
              <DigestCard record={data} />
              <UsageCard id={id} beganAt={data.began_at} />
            </div>
          </div>
        </>
      ) : null}
    </Page>
  );
}

function missing(error: unknown): string {
  return error instanceof Refusal && error.status === 404
    ? "There is no such session"
    : "The session cannot be shown";
}

function Back() {
  return (
    <Link
      href="/"
      className="flex items-center gap-1.5 self-start text-royal-ink text-sm hover:underline"
    >
      <ArrowLeft aria-hidden className="size-4" /> Sessions
    </Link>
  );
}

function Facts({ record }: { record: Record }) {
  const waits = record.turns.flatMap(({ stages }) => stages?.first_audio ?? []);
  const [p50, p95] = [quantile(waits, 0.5), quantile(waits, 0.95)];
  const facts: readonly (readonly [string, string])[] = [
    ["Lasted", duration(lasted(record))],
    ["Over", record.transport],
    ["Answers", String(record.responses)],
    ["First audio, p50", p50 === null ? "–" : milliseconds(p50)],
    ["p95", p95 === null ? "–" : milliseconds(p95)],
    ["Interruptions", String(record.interruptions)],
  ];
  return (
    <Card aria-label="Facts" className="flex flex-wrap items-center gap-x-8 gap-y-4 px-5 py-4">
      <End reason={record.end_reason} />
      <dl className="contents">
        {facts.map(([name, value]) => (
          <div key={name} className="flex flex-col">
            <dt className="text-soft text-xs">{name}</dt>
            <dd className="figures font-display font-semibold">{value}</dd>
          </div>
        ))}
        {Object.entries(record.errors ?? {}).map(([code, count]) => (
          <div key={code} className="flex flex-col text-bad">
            <dt className="text-xs">{code}</dt>
            <dd className="figures font-display font-semibold">{count}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}

function Delete({ id }: { id: string }) {
  const [, go] = useLocation();
  const queries = useQueryClient();
  return (
    <Confirm
      title="Delete this session?"
      about="Its turns and its recording are gone then, for good. What it used stays counted."
      act="Delete"
      run={() => forget(id)}
      done={() => {
        void queries.invalidateQueries({ queryKey: ["sessions"] });
        toast("Session deleted", "What it used stays counted.", "good");
        go("/");
      }}
      failed="Not deleted"
    >
      <Button variant="danger" size="sm">
        <Trash2 aria-hidden /> Delete
      </Button>
    </Confirm>
  );
}

function Waiting() {
  return (
    <div role="status" aria-label="Loading" className="flex flex-col gap-5">
      <Skeleton className="h-20 rounded-card" />
      <Skeleton className="h-96 rounded-card" />
    </div>
  );
}
