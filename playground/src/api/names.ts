import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "./client";

/** The voices of the server. */
export const voices = queryOptions({
  queryKey: ["voices"],
  queryFn: async () => (await answer(api.GET("/v1/voices"))).voices,
  staleTime: 60_000,
});

/** The names of all models. */
export const models = queryOptions({
  queryKey: ["models"],
  queryFn: async () => {
    const told = await answer(api.GET("/v1/models"));
    return "data" in told ? told.data.map(({ id }) => id) : told.map(({ model_id }) => model_id);
  },
  staleTime: 60_000,
});
