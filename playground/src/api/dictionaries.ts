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

export type Rule = Schema["AliasRule"] | Schema["PhonemeRule"];

/** One, with its rules. */
export const dictionary = (id: string) =>
  queryOptions({
    queryKey: ["dictionaries", id],
    queryFn: () =>
      answer(
        api.GET("/v1/pronunciation-dictionaries/{dictionary_id}", {
          params: { path: { dictionary_id: id } },
        }),
      ),
  });

/** Make one, or with `id` give it this name and these rules in place of its own. */
export async function keep(id: string | null, name: string, rules: Rule[]): Promise<void> {
  if (id === null) {
    const body = { name, rules };
    await answer(api.POST("/v1/pronunciation-dictionaries/add-from-rules", { body }));
    return;
  }
  const params = { path: { dictionary_id: id } };
  const one = "/v1/pronunciation-dictionaries/{dictionary_id}" as const;
  await answer(api.POST(`${one}/set-rules`, { params, body: { rules } }));
  await answer(api.PATCH(one, { params, body: { name } }));
}

export function remove(id: string): Promise<unknown> {
  return answer(
    api.DELETE("/v1/pronunciation-dictionaries/{dictionary_id}", {
      params: { path: { dictionary_id: id } },
    }),
  );
}
