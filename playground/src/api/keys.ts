import { infiniteQueryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "./client";

export type Key = Schema["Key"];
export type MadeKey = Schema["MadeKey"];

const PAGE = 100;

/** All keys, a page at a time; administrators see those of all accounts. */
export const keys = infiniteQueryOptions({
  queryKey: ["keys"],
  queryFn: ({ pageParam }) =>
    answer(
      api.GET("/v1/admin/keys", {
        params: { query: { limit: PAGE, ...(pageParam ? { after: pageParam } : {}) } },
      }),
    ),
  initialPageParam: "",
  getNextPageParam: (page) => (page.has_more ? page.data.at(-1)?.id : undefined),
});

/** What a key may do, and what each of these is. */
export const SCOPES: readonly (readonly [string, string])[] = [
  ["realtime", "hold conversations"],
  ["speech", "have text spoken, and speech transcribed"],
  ["sessions", "steer and end open sessions, let others’ clients in"],
  ["agents", "make and change agents and what they know"],
  ["records", "read and delete what was said"],
  ["usage", "see what is used"],
  ["system", "see what runs on the machine"],
  ["admin", "everything, of everybody"],
];

/** What a key is to be. */
export interface Wanted {
  name: string;
  scopes: readonly string[];
  /** In ISO 8601; null: it lasts. */
  expires_at: string | null;
  limits: Schema["Limits"];
}

/** Make one. Its secret is told this once. */
export function make(wanted: Wanted): Promise<MadeKey> {
  return answer(api.POST("/v1/admin/keys", { body: wanted as unknown as Schema["NewKey"] }));
}

/** Another in place of this one, which is good for so many seconds more. */
export function rotate(id: string, graceS: number): Promise<MadeKey> {
  return answer(
    api.POST("/v1/admin/keys/{key_id}/rotate", {
      params: { path: { key_id: id }, query: { grace_s: graceS } },
    }),
  );
}

/** Refuse it from now on. */
export function revoke(id: string): Promise<Key> {
  return answer(api.POST("/v1/admin/keys/{key_id}/revoke", { params: { path: { key_id: id } } }));
}
