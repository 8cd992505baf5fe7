import { useQuery } from "@tanstack/react-query";
import { Cpu, Database, Network } from "lucide-react";
import type { ReactNode } from "react";
import { type Gateway, system, type Worker } from "@/api/system";
import { Failed } from "@/parts/failed";
import { counted, milliseconds } from "@/parts/figures";
import { Page } from "@/parts/page";
import { Badge, type Tone } from "@/ui/badge";
import { Card } from "@/ui/card";
import { Notice } from "@/ui/notice";
import { Skeleton } from "@/ui/skeleton";

const STATES: Record<string, Tone> = {
  ready: "good",
  starting: "warn",
  asleep: "plain",
  closed: "plain",
  failed: "bad",
};

/** What runs on the machine, and how it is doing. */
export default function System() {
  const { data, error, isPending, refetch } = useQuery(system);
  return (
    <Page title="System" about="What runs on the machine, as it is now.">
      {error ? (
        <Failed what="The system does not tell" error={error} again={() => void refetch()} />
      ) : null}
      {isPending ? <Skeleton className="h-64 rounded-card" /> : null}
      {data ? (
        <>
          <Part title="Models" icon={<Cpu aria-hidden className="size-4" />}>
            {data.workers.map((worker) => (
              <WorkerCard key={worker.name + worker.pid} worker={worker} />
            ))}
          </Part>
          <Part title="Gateways" icon={<Network aria-hidden className="size-4" />}>
            {data.gateways.map((gateway) => (
              <GatewayCard key={gateway.index} gateway={gateway} />
            ))}
          </Part>
          {data.database ? (
            <Part title="Database" icon={<Database aria-hidden className="size-4" />}>
              <Card aria-label="PostgreSQL" className="flex flex-col gap-3 p-4">
                <Head
                  name="PostgreSQL"
                  state={data.database.up ? "up" : "down"}
                  tone={data.database.up ? "good" : "bad"}
                />
                <Facts
                  facts={[
                    ["Kept", data.database.embedded ? "by this server" : "elsewhere"],
                    ["Restarts", String(data.database.restarts)],
                  ]}
                />
              </Card>
            </Part>
          ) : null}
        </>
      ) : null}
    </Page>
  );
}

function Part({ title, icon, children }: { title: string; icon: ReactNode; children: ReactNode }) {
  return (
    <section aria-label={title} className="flex flex-col gap-3">
      <h2 className="flex items-center gap-2 font-semibold text-base">
        <span className="text-royal-ink">{icon}</span> {title}
      </h2>
      <div className="grid gap-4 sm:grid-cols-2 xl:grid-cols-3">{children}</div>
    </section>
  );
}

function WorkerCard({ worker }: { worker: Worker }) {
  const { name, state = "starting", load, resident_bytes, restarts, error_message, node } = worker;
  return (
    <Card aria-label={name} className="flex flex-col gap-3 p-4">
      <Head name={name} state={state} tone={STATES[state] ?? "plain"} />
      <Facts
        facts={[
          ["Memory", bytes(resident_bytes)],
          ["Running", String(load?.running ?? 0)],
          ["Queued", String(load?.queued ?? 0)],
          ["Longest wait", milliseconds(load?.oldest_ms ?? 0)],
          ["Restarts", String(restarts)],
          ...(node ? ([["Node", node]] as const) : []),
        ]}
      />
      {error_message ? <Notice kind="bad">{error_message}</Notice> : null}
    </Card>
  );
}

function GatewayCard({ gateway }: { gateway: Gateway }) {
  const { index, serving, sessions, lag_ms, resident_bytes, restarts } = gateway;
  return (
    <Card aria-label={`Gateway ${index}`} className="flex flex-col gap-3 p-4">
      <Head
        name={`Gateway ${index}`}
        state={serving ? counted(sessions, "session") : "not serving"}
        tone={serving ? "good" : "bad"}
      />
      <Facts
        facts={[
          ["Memory", bytes(resident_bytes)],
          ["Lag of its clock", milliseconds(lag_ms)],
          ["Restarts", String(restarts)],
        ]}
      />
    </Card>
  );
}

function Head({ name, state, tone }: { name: string; state: string; tone: Tone }) {
  return (
    <div className="flex items-center justify-between gap-3">
      <h3 className="truncate font-semibold">{name}</h3>
      <Badge tone={tone}>{state}</Badge>
    </div>
  );
}

function Facts({ facts }: { facts: readonly (readonly [string, string])[] }) {
  return (
    <dl className="figures grid grid-cols-[1fr_auto] gap-y-1 text-sm">
      {facts.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-soft">{name}</dt>
          <dd className="text-right">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function bytes(count: number): string {
  if (count === 0) return "–";
  const mega = count / 1024 / 1024;
  return mega < 1024 ? `${mega.toFixed(0)} MB` : `${(mega / 1024).toFixed(1)} GB`;
}
