import { z } from "zod";
import { Store } from "@/store";
import { refusalOf, unreachable } from "./refusal";

const PATH = "/v1/web/session";

const shape = z.object({
  key: z.object({ id: z.string(), name: z.string().default(""), prefix: z.string().default("") }),
  account_id: z.string(),
  account_name: z.string(),
  scopes: z.array(z.string()),
  csrf_token: z.string(),
});

/** Who is signed in: the key that they came with, and what it may do. */
export type WebSession = z.infer<typeof shape>;

/** Why somebody is back at the beginning. */
export const NOT_SIGNED_IN =
  "The key that you came with no longer works: it was revoked, has expired, or you signed out elsewhere.";

export type SignIn =
  | { at: "asking" }
  | { at: "out"; because?: string }
  /** `entered`: just now, at the form. */
  | { at: "in"; session: WebSession; entered?: boolean };

/** Whether somebody is signed in. The cookie is not to be read from here; the server tells. */
export const signIn = new Store<SignIn>({ at: "asking" });

/** The token that goes with every unsafe request; empty if nobody is signed in. */
export function csrfToken(): string {
  const now = signIn.get();
  return now.at === "in" ? now.session.csrf_token : "";
}

/** Whether the key may do what needs `scope`. */
export function may(session: WebSession, scope: string): boolean {
  return session.scopes.includes(scope) || session.scopes.includes("admin");
}

/** Ask who is signed in. Throws `Refusal` if the server does not say. */
export async function lookUp(): Promise<void> {
  const response = await asked(PATH, {});
  if (response.status === 401) {
    signIn.set({ at: "out" });
    return;
  }
  signIn.set({ at: "in", session: await told(response) });
}

/** Sign in with a key. Throws `Refusal`. */
export async function enter(key: string): Promise<void> {
  const response = await asked(PATH, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ key }),
  });
  signIn.set({ at: "in", session: await told(response), entered: true });
}

/** Sign out, here and at the server. */
export async function leave(): Promise<void> {
  await asked(PATH, { method: "DELETE", headers: { "x-csrf-token": csrfToken() } });
  signIn.set({ at: "out" });
}

/** The server no longer takes the session for good: back to the beginning, and say why. */
export function expelled(because: string): void {
  if (signIn.get().at === "in") signIn.set({ at: "out", because });
}

async function asked(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init);
  } catch {
    throw unreachable();
  }
}

async function told(response: Response): Promise<WebSession> {
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok) throw refusalOf(response, body);
  return shape.parse(body);
}
