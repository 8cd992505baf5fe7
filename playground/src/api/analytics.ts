import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "./client";

export type Summary = Schema["Summary"];
export type Part = Schema["Part"];

/** How sessions went that began since a day (2026-11-01); `agent` empty: everybody's. */
export const analytics = (from: string, by: "day" | "agent", agent = "") =>
  queryOptions({
    queryKey: ["analytics", from, by, agent],
    queryFn: () =>
      answer(
        api.GET("/v1/analytics", {
          params: { query: { from, group_by: [by], ...(agent ? { agent } : {}) } },
        }),
      ),
    placeholderData: (before) => before,
  });
