import type { Key } from "@/api/keys";

/** How a key stands at a moment (in ms): whether it opens anything, and until when. */
export interface State {
  dead: "revoked" | "expired" | null;
  /** When it ends, if it does: it expires, or was replaced by another. */
  until: string | null;
  replaced: boolean;
}

export function stateOf(
  { revoked_at, expires_at }: Pick<Key, "revoked_at" | "expires_at">,
  now: number,
): State {
  const past = (at: string | null | undefined) => Boolean(at) && Date.parse(at ?? "") <= now;
  const dead = past(revoked_at) ? "revoked" : past(expires_at) ? "expired" : null;
  const ends = [revoked_at, expires_at].flatMap((at) => at ?? []);
  const until = ends.sort((a, b) => Date.parse(a) - Date.parse(b))[0] ?? null;
  return { dead, until, replaced: !dead && Boolean(revoked_at) && until === revoked_at };
}
