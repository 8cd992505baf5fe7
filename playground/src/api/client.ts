import createClient, { type Middleware } from "openapi-fetch";
import { reachable } from "./reach";
import { refusalOf, unreachable } from "./refusal";
import type { components, paths } from "./schema";
import { csrfToken, expelled, NOT_SIGNED_IN } from "./web-session";

export type Schema = components["schemas"];

const SAFE = ["GET", "HEAD", "OPTIONS"];

const asSignedIn: Middleware = {
  onRequest({ request }) {
    if (!SAFE.includes(request.method)) request.headers.set("x-csrf-token", csrfToken());
    return request;
  },
  onResponse({ response }) {
    reachable.set(true);
    if (response.status === 401) expelled(NOT_SIGNED_IN);
  },
  onError() {
    reachable.set(false);
    return unreachable();
  },
};

/** The public API, typed by its own description: `npm run types`. */
export const api = createClient<paths>({
  baseUrl: window.location.origin,
  fetch: (request) => window.fetch(request),
});
api.use(asSignedIn);

interface Answered<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** What was answered. Throws `Refusal`. */
export async function answer<T>(asked: Promise<Answered<T>>): Promise<T> {
  const { data, error, response } = await asked;
  if (!response.ok) throw refusalOf(response, error);
  return data as T;
}
