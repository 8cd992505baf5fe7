import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "./client";

export type Agent = Schema["Agent"];

const MOST = 100;

/** The account's agents, newest first; the first hundred. */
export const agents = queryOptions({
  queryKey: ["agents"],
  queryFn: () => answer(api.GET("/v1/agents", { params: { query: { limit: MOST } } })),
});
