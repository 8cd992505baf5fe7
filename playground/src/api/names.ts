import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "./client";

/** The voices of the server. */
export const voices = queryOptions({
  queryKey: ["voices"],
  queryFn: async () => (await answer(api.GET("/v1/voices"))).voices,
  staleTime: 60_000,
});

/** All models. */
export const models = queryOptions({
  queryKey: ["models"],
  queryFn: async () => {
    const told = await answer(api.GET("/v1/models"));
    return "data" in told ? told.data : []; // a list is for who asks as ElevenLabs' clients do
  },
  staleTime: 60_000,
});
