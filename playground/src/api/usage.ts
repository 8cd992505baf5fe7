import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "./client";

export type UsedBy = Schema["UsedBy"];
export type Used = Schema["Used"];
export type Kind = "model" | "agent" | "key";

interface Asked {
  /** A day such as 2026-11-01. */
  from: string;
  /** The day after the last one; without it until now. */
  to?: string;
  by?: readonly ("day" | Kind)[];
}

/** What was used; what was prepared and dropped in rows of its own. */
export const usage = ({ from, to, by = [] }: Asked) =>
  queryOptions({
    queryKey: ["usage", from, to, by],
    queryFn: () =>
      answer(
        api.GET("/v1/usage", {
          params: { query: { from, ...(to ? { to } : {}), group_by: [...by] } },
        }),
      ),
    placeholderData: (before) => before,
  });
