import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "./client";

export type Worker = Schema["WorkerStatus"];
export type Gateway = Schema["GatewayStatus"];

const LOOK_AGAIN_MS = 2000;

/** What runs on the machine, now and again. */
export const system = queryOptions({
  queryKey: ["system"],
  queryFn: () => answer(api.GET("/v1/system")),
  refetchInterval: LOOK_AGAIN_MS,
});
