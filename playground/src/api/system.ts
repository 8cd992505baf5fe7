import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "./client";

export type Whole = Schema["Whole"];
export type Worker = Schema["WorkerStatus"];
export type Gateway = Schema["GatewayStatus"];
export type Machine = Schema["Machine"];
export type Admission = Schema["AdmissionStatus"];
export type Measured = Schema["Measured"];

/** What runs on the machine at a moment, by this browser's clock. */
export interface Look {
  atMs: number;
  whole: Whole;
}

const LOOK_AGAIN_MS = 2000;
export const REMEMBERED_MS = 5 * 60_000;

/** What runs on the machine, now and again; the last minutes are remembered here, oldest first. */
export const system = queryOptions({
  queryKey: ["system"],
  queryFn: async ({ client }): Promise<Look[]> => {
    const whole = await answer(api.GET("/v1/system"));
    const atMs = Date.now();
    const before = client.getQueryData<Look[]>(["system"]) ?? [];
    return [...before.filter((look) => look.atMs > atMs - REMEMBERED_MS), { atMs, whole }];
  },
  refetchInterval: LOOK_AGAIN_MS,
  structuralSharing: false,
});
