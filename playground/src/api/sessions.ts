import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "./client";

export type Session = Schema["Session"];
export type Record = Schema["Record"];
export type Turn = Schema["Turn"];

/** Which sessions are wanted; what is empty is any. Days as 2026-11-01. */
export interface Sought {
  words: string;
  agent: string;
  endReason: string;
  from: string;
  to: string;
}

/** What is wanted, as the API has it. */
export function queryOf(sought: Sought) {
  return {
    ...(sought.words ? { q: sought.words } : {}),
    ...(sought.agent ? { agent: sought.agent } : {}),
    ...(sought.endReason ? { end_reason: sought.endReason } : {}),
    ...(sought.from ? { from: sought.from } : {}),
    ...(sought.to ? { to: dayAfter(sought.to) } : {}),
  };
}

const PAGE = 30;
const LIVE_MS = 3000; // what is kept of an open session is a second old

/** Those that fit, newest first, a page at a time. */
export const sessions = (sought: Sought) =>
  infiniteQueryOptions({
    queryKey: ["sessions", sought],
    queryFn: ({ pageParam }) =>
      answer(
        api.GET("/v1/sessions", {
          params: {
            query: {
              limit: PAGE,
              ...(pageParam ? { after: pageParam } : {}),
              ...queryOf(sought),
            },
          },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => (page.has_more ? page.data.at(-1)?.id : undefined),
    // New ones show by themselves; who has paged back reads, and is left alone.
    refetchInterval: ({ state }) => (state.data?.pages.length === 1 ? LIVE_MS : false),
  });

/** What was said in one; while it is open, again and again. */
export const session = (id: string) =>
  queryOptions({
    queryKey: ["session", id],
    queryFn: () =>
      answer(api.GET("/v1/sessions/{session_id}", { params: { path: { session_id: id } } })),
    refetchInterval: ({ state }) => (state.data && !state.data.ended_at ? LIVE_MS : false),
  });

/** What one used. */
export const usageOf = (id: string, since: string) =>
  queryOptions({
    queryKey: ["usage", "session", id],
    queryFn: () =>
      answer(
        api.GET("/v1/usage", {
          params: { query: { session: id, from: since.slice(0, 10), group_by: ["model"] } },
        }),
      ),
  });

/** Delete what is kept of one. */
export function forget(id: string): Promise<unknown> {
  return answer(api.DELETE("/v1/sessions/{session_id}", { params: { path: { session_id: id } } }));
}

/** Where its recording is. Of one that is open: as far as it is, which only WAV can be. */
export function recordingOf({ id, ended_at }: Session): string {
  const format = ended_at ? "opus" : "wav";
  return `/v1/sessions/${encodeURIComponent(id)}/recording?format=${format}`;
}

/** How long it lasted until now, or until its end, in ms. */
export function lasted({ began_at, ended_at }: Session): number {
  return (ended_at ? Date.parse(ended_at) : Date.now()) - Date.parse(began_at);
}

function dayAfter(day: string): string {
  return new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);
}
