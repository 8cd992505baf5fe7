import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { agents } from "@/api/agents";
import { keys } from "@/api/keys";
import type { Kind } from "@/api/usage";
import { may, signIn } from "@/api/web-session";
import { useStore } from "@/use-store";

const NOBODY: Record<Kind, string> = {
  model: "The conversation itself",
  agent: "Without an agent",
  key: "Without a key",
};

/** How one of a kind is called. An agent that is deleted, or a key of others, has only its id. */
export function useNames(kind: Kind): (id: string | null) => string {
  const state = useStore(signIn);
  const mayDo = (scope: string) => state.at === "in" && may(state.session, scope);
  const known = useQuery({ ...agents, enabled: kind === "agent" && mayDo("agents") });
  const made = useInfiniteQuery({ ...keys, enabled: kind === "key" && mayDo("admin") });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = made;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const named = {
    model: [],
    agent: known.data?.data ?? [],
    key: made.data?.pages.flatMap(({ data }) => data) ?? [],
  }[kind];
  const names = toldApart(named);
  return (id) => (id === null ? NOBODY[kind] : (names.get(id) ?? id));
}

/** Names by their ids; those that several have, with the end of the id. */
export function toldApart(
  named: readonly { id: string; name: string }[],
): ReadonlyMap<string, string> {
  const times = new Map<string, number>();
  for (const { name } of named) times.set(name, (times.get(name) ?? 0) + 1);
  return new Map(
    named
      .filter(({ name }) => name)
      .map(({ id, name }) => [id, times.get(name) === 1 ? name : `${name} (…${id.slice(-4)})`]),
  );
}
