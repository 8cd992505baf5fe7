import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schema } from "./client";

type Secret = Schema["Named"];

/** The names of the account's secrets; what they are is never told. */
export const secrets = queryOptions({
  queryKey: ["secrets"],
  queryFn: () => answer(api.GET("/v1/secrets")),
});

/** Keep one, in place of what had this name. */
export function put(name: string, value: string): Promise<Secret> {
  return answer(api.PUT("/v1/secrets/{name}", { params: { path: { name } }, body: { value } }));
}

export function drop(name: string): Promise<unknown> {
  return answer(api.DELETE("/v1/secrets/{name}", { params: { path: { name } } }));
}
