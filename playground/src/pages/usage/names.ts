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
  const names = new Map<string, string>(named.map(({ id, name }) => [id, name]));
  return (id) => (id === null ? NOBODY[kind] : names.get(id) || id);
}
