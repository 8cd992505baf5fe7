import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "./client";

export type Dictionary = Schema["DictionaryMetadata"];

const PAGE = 100;

/** The account's pronunciation dictionaries, latest first. */
export const dictionaries = queryOptions({
  queryKey: ["dictionaries"],
  queryFn: async () => {
    const found: Dictionary[] = [];
    let cursor: string | null | undefined;
    do {
      const page = await answer(
        api.GET("/v1/pronunciation-dictionaries", {
          params: { query: { page_size: PAGE, ...(cursor ? { cursor } : {}) } },
        }),
      );
      found.push(...page.pronunciation_dictionaries);
      cursor = page.next_cursor;
    } while (cursor);
    return found;
  },
});
