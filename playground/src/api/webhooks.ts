import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "./client";

export type Webhook = Schema["Webhook"];
export type MadeWebhook = Schema["MadeWebhook"];

/** Whoever is told of what happens. */
export const webhooks = queryOptions({
  queryKey: ["webhooks"],
  queryFn: () => answer(api.GET("/v1/webhooks")),
});

/** What there is to be told. */
export const EVENTS = ["session.started", "session.ended", "session.summary"] as const;

/** Have an address told. Its signing secret is in the answer, and nowhere else. */
export function add(url: string, events: readonly string[]): Promise<MadeWebhook> {
  const body = { url, events } as unknown as Schema["NewWebhook"];
  return answer(api.POST("/v1/webhooks", { body }));
}

export function enable(id: string, enabled: boolean): Promise<Webhook> {
  return answer(
    api.PATCH("/v1/webhooks/{webhook_id}", {
      params: { path: { webhook_id: id } },
      body: { enabled },
    }),
  );
}

/** Send it an event of the type `webhook.test`. */
export function probe(id: string): Promise<unknown> {
  return answer(
    api.POST("/v1/webhooks/{webhook_id}/test", { params: { path: { webhook_id: id } } }),
  );
}

export function remove(id: string): Promise<unknown> {
  return answer(api.DELETE("/v1/webhooks/{webhook_id}", { params: { path: { webhook_id: id } } }));
}
