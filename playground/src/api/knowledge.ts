import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "./client";
import { refusalOf, unreachable } from "./refusal";
import { csrfToken, expelled, NOT_SIGNED_IN } from "./web-session";

export type Collection = Schema["Collection"];
export type Document = Schema["Document"];
export type Found = Schema["Found"];

const MOST = 1000;
const PAGE = 100;
const SOON_MS = 1500; // while something is being read

/** The kinds of documents that are read, by how their names end. */
export const KINDS = ".txt,.text,.md,.markdown,.html,.htm,.xhtml,.pdf";

/** The account's collections, all that it can have, oldest first. */
export const collections = queryOptions({
  queryKey: ["knowledge"],
  queryFn: () => answer(api.GET("/v1/knowledge", { params: { query: { limit: MOST } } })),
});

export const collection = (id: string) =>
  queryOptions({
    queryKey: ["knowledge", id],
    queryFn: () =>
      answer(api.GET("/v1/knowledge/{collection_id}", { params: { path: { collection_id: id } } })),
  });

/** What is in one, a page at a time; while something is being read, again and again. */
export const documents = (id: string) =>
  infiniteQueryOptions({
    queryKey: ["knowledge", id, "documents"],
    queryFn: ({ pageParam }) =>
      answer(
        api.GET("/v1/knowledge/{collection_id}/documents", {
          params: {
            path: { collection_id: id },
            query: { limit: PAGE, ...(pageParam ? { after: pageParam } : {}) },
          },
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => (page.has_more ? page.data.at(-1)?.id : undefined),
    refetchInterval: ({ state }) =>
      state.data?.pages.some(({ data }) => data.some(isUnderWay)) ? SOON_MS : false,
  });

/** Whether it can be found soon, and not yet. */
export function isUnderWay({ state }: Document): boolean {
  return state === "waiting" || state === "reading";
}

/** Which passages fit a question best. */
export function search(id: string, question: string, limit: number) {
  return answer(
    api.GET("/v1/knowledge/{collection_id}/search", {
      params: { path: { collection_id: id }, query: { q: question, limit } },
    }),
  );
}

export function make(name: string, language: string): Promise<Collection> {
  return answer(api.POST("/v1/knowledge", { body: { name, language } }));
}

export function remove(id: string): Promise<unknown> {
  return answer(
    api.DELETE("/v1/knowledge/{collection_id}", { params: { path: { collection_id: id } } }),
  );
}

export function removeDocument({ collection_id, id }: Document): Promise<unknown> {
  return answer(
    api.DELETE("/v1/knowledge/{collection_id}/documents/{document_id}", {
      params: { path: { collection_id, document_id: id } },
    }),
  );
}

/** Add one; what is there already stays. Throws `Refusal`. */
export async function add(id: string, file: File): Promise<Document> {
  const body = new FormData();
  body.set("file", file);
  const path = `/v1/knowledge/${encodeURIComponent(id)}/documents`;
  const headers = { "x-csrf-token": csrfToken() };
  const response = await fetch(path, { method: "POST", body, headers }).catch(() => {
    throw unreachable();
  });
  if (response.ok) return response.json();
  if (response.status === 401) expelled(NOT_SIGNED_IN);
  throw refusalOf(response, await response.json().catch(() => null));
}
