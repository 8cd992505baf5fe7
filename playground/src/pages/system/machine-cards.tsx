import type { Admission, Gateway, Machine, Whole } from "@/api/system";
import { counted, milliseconds } from "@/parts/figures";
import { percent, room } from "@/parts/quantities";
import { Card } from "@/ui/card";
import { Facts, Head } from "./facts";
import { letIn } from "./words";

/** Whether another session would begin, and why. */
export function AdmissionCard({ admission }: { admission: Admission }) {
  const { present, pressure, refusal } = admission;
  return (
    <Card aria-label="Admission" className="flex flex-col gap-3 p-5">
      <Head name="Admission" state={refusal ? "full" : "open"} tone={refusal ? "warn" : "good"} />
      <p className="text-soft text-sm leading-relaxed">{letIn(admission)}</p>
      <Facts
        facts={[
          ["Callers now", String(present)],
          ["Pressure, of what it bears", percent(pressure)],
        ]}
      />
    </Card>
  );
}

export function MachineCard({ machine }: { machine: Machine }) {
  const { cpu, cores, memory_bytes, available_bytes, gpus } = machine;
  return (
    <Card aria-label="Machine" className="flex flex-col gap-3 p-5">
      <h3 className="font-semibold">Machine</h3>
      <p className="text-soft text-sm leading-relaxed">{cpu || "A processor without a name"}</p>
      <Facts
        facts={[
          ["Cores", String(cores)],
          ["Memory", room(memory_bytes)],
          ["of it available", room(available_bytes)],
          ["GPUs", gpus.length ? gpus.join(", ") : "none"],
        ]}
      />
    </Card>
  );
}

/** A process that carries sessions. */
export function GatewayCard({ gateway }: { gateway: Gateway }) {
  const { index, serving, sessions, lag_ms, resident_bytes, restarts } = gateway;
  return (
    <Card aria-label={`Gateway ${index}`} className="flex flex-col gap-3 p-5">
      <Head
        name={`Gateway ${index}`}
        state={serving ? counted(sessions, "session") : "not serving"}
        tone={serving ? "good" : "bad"}
      />
      <Facts
        facts={[
          ["Memory", resident_bytes ? room(resident_bytes) : "–"],
          ["Lag of its clock", milliseconds(lag_ms)],
          ["Restarts", String(restarts)],
        ]}
      />
    </Card>
  );
}

export function DatabaseCard({ database }: { database: NonNullable<Whole["database"]> }) {
  return (
    <Card aria-label="PostgreSQL" className="flex flex-col gap-3 p-5">
      <Head
        name="PostgreSQL"
        state={database.up ? "up" : "down"}
        tone={database.up ? "good" : "bad"}
      />
      <Facts
        facts={[
          ["Kept", database.embedded ? "by this server" : "elsewhere"],
          ["Restarts", String(database.restarts)],
        ]}
      />
    </Card>
  );
}
