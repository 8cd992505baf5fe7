import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "./client";

export type Agent = Schema["Agent"];

/** An agent's config, as JSON: the server says what it may hold. */
export type Config = { [field: string]: unknown };

const MOST = 1000;

/** The account's agents, the first thousand, oldest first. */
export const agents = queryOptions({
  queryKey: ["agents"],
  queryFn: () => answer(api.GET("/v1/agents", { params: { query: { limit: MOST } } })),
});

/** One, at its latest version or at another. */
export const agent = (id: string, version: number | null = null) =>
  queryOptions({
    queryKey: ["agent", id, version],
    queryFn: () =>
      answer(
        api.GET("/v1/agents/{agent_id}", {
          params: { path: { agent_id: id }, query: version === null ? {} : { version } },
        }),
      ),
  });

/** When each of its versions was made, latest first. */
export const versionsOf = (id: string) =>
  queryOptions({
    queryKey: ["agent", id, "versions"],
    queryFn: () =>
      answer(api.GET("/v1/agents/{agent_id}/versions", { params: { path: { agent_id: id } } })),
  });

/** Make one, or with `id` a new version of it. Throws `Refusal`, which says what is wrong where. */
export function keep(id: string | null, name: string, config: Config): Promise<Agent> {
  const body = { name, config: config as Schema["AgentConfig"] };
  if (id === null) return answer(api.POST("/v1/agents", { body }));
  return answer(api.PATCH("/v1/agents/{agent_id}", { params: { path: { agent_id: id } }, body }));
}

export function remove(id: string): Promise<unknown> {
  return answer(api.DELETE("/v1/agents/{agent_id}", { params: { path: { agent_id: id } } }));
}
