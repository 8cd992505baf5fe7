import { useQuery } from "@tanstack/react-query";
import { Activity, Cpu, Server } from "lucide-react";
import type { ReactNode } from "react";
import { type Look, system } from "@/api/system";
import { CopyAs } from "@/parts/copy-as";
import { Failed } from "@/parts/failed";
import { Page } from "@/parts/page";
import { Skeleton } from "@/ui/skeleton";
import { CapacityCard } from "./capacity-card";
import { LiveCharts } from "./live-charts";
import { AdmissionCard, DatabaseCard, GatewayCard, MachineCard } from "./machine-cards";
import { Asleep, ModelCard } from "./model-card";

/** What runs on the machine, and how it is doing. */
export default function System() {
  const { data: looks, error, refetch } = useQuery(system);
  return (
    <Page
      title="System"
      about="What runs on this machine and how busy it is, looked at every two seconds while this page is open."
      actions={<CopyAs call={{ method: "GET", path: "/v1/system" }} />}
    >
      {error ? (
        <Failed what="The system does not tell" error={error} again={() => void refetch()} />
      ) : null}
      {looks ? <Told looks={looks} /> : null}
      {looks || error ? null : <Waiting />}
    </Page>
  );
}

function Told({ looks }: { looks: readonly Look[] }) {
  const whole = looks.at(-1)?.whole;
  if (!whole) return null;
  const { workers, gateways, machine, admission, database, capacity } = whole;
  const asleep = workers.filter(({ state }) => state === "asleep");
  return (
    <>
      <Part title="Now" icon={<Activity aria-hidden className="size-4" />}>
        <LiveCharts looks={looks} />
      </Part>
      <CapacityCard measured={capacity} admission={admission} />
      <Part title="Models" icon={<Cpu aria-hidden className="size-4" />}>
        <div className="grid items-start gap-4 md:grid-cols-2 xl:grid-cols-4">
          {workers
            .filter((worker) => !asleep.includes(worker))
            .map((worker) => (
              <ModelCard key={worker.name} worker={worker} looks={looks} />
            ))}
        </div>
        {asleep.length ? <Asleep workers={asleep} /> : null}
      </Part>
      <Part title="Machine" icon={<Server aria-hidden className="size-4" />}>
        <div className="grid items-start gap-4 md:grid-cols-2 xl:grid-cols-4">
          {admission ? <AdmissionCard admission={admission} /> : null}
          {machine ? <MachineCard machine={machine} /> : null}
          {gateways.map((gateway) => (
            <GatewayCard key={gateway.index} gateway={gateway} />
          ))}
          {database ? <DatabaseCard database={database} /> : null}
        </div>
      </Part>
    </>
  );
}

function Part({ title, icon, children }: { title: string; icon: ReactNode; children: ReactNode }) {
  return (
    <section aria-label={title} className="flex flex-col gap-3">
      <h2 className="flex items-center gap-2 font-semibold text-base">
        <span className="text-royal-ink">{icon}</span> {title}
      </h2>
      {children}
    </section>
  );
}

function Waiting() {
  return (
    <div role="status" aria-label="Loading" className="grid gap-4 md:grid-cols-2 xl:grid-cols-3">
      {[0, 1, 2, 3, 4, 5].map((card) => (
        <Skeleton key={card} className="h-52 rounded-card" />
      ))}
    </div>
  );
}
