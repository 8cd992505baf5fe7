import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "./client";

export type Session = Schema["Session"];
export type Record = Schema["Record"];
export type Turn = Schema["Turn"];

/** Which sessions are wanted; what is empty is any. Days as 2026-11-01, where the caller is. */
export interface Sought {
  words: string;
  agent: string;
  endReason: string;
  from: string;
  to: string;
}

/** What is wanted, as the API has it. */
export function queryOf(sought: Sought) {
  const [from, to] = [beginning(sought.from), beginning(sought.to, 1)];
  return {
    ...(sought.words ? { q: sought.words } : {}),
    ...(sought.agent ? { agent: sought.agent } : {}),
    ...(sought.endReason ? { end_reason: sought.endReason } : {}),
    ...(from ? { from } : {}),
    ...(to ? { to } : {}),
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
  const format = ended_at && playsOpus() ? "opus" : "wav";
  return `/v1/sessions/${encodeURIComponent(id)}/recording?format=${format}`;
}

/** Ogg Opus; Safari does not before 18.4. */
function playsOpus(): boolean {
  return new Audio().canPlayType('audio/ogg; codecs="opus"') !== "";
}

/** How long it lasted until now, or until its end, in ms. */
export function lasted({ began_at, ended_at }: Session): number {
  return (ended_at ? Date.parse(ended_at) : Date.now()) - Date.parse(began_at);
}

/** A day's beginning here, or that of the day so many after it, as a moment; none for what is no day. */
function beginning(day: string, later = 0): string | undefined {
  const date = new Date(`${day}T00:00`);
  date.setDate(date.getDate() + later);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
