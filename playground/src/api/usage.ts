import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "./client";

export type UsedBy = Schema["UsedBy"];
export type Used = Schema["Used"];
export type Group = "day" | "model" | "agent" | "key";

/** What was used since a day (2026-11-01), by `by`; what was prepared and dropped in rows of its own. */
export const usage = (since: string, by: readonly Group[]) =>
  queryOptions({
    queryKey: ["usage", since, by],
    queryFn: () =>
      answer(api.GET("/v1/usage", { params: { query: { from: since, group_by: [...by] } } })),
  });
