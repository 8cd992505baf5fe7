import { Badge, type Tone } from "@/ui/badge";

/** Why sessions end, in words. */
export const ENDS: Record<string, readonly [string, Tone]> = {
  client_left: ["caller left", "plain"],
  hung_up: ["hung up", "plain"],
  agent_ended: ["agent ended it", "good"],
  drained: ["server restarted", "warn"],
  longest_duration: ["too long", "warn"],
  stopped: ["stopped", "plain"],
  client_did_not_return: ["caller was cut off", "warn"],
  key_revoked: ["key revoked", "bad"],
  insufficient_quota: ["quota used up", "bad"],
  failed: ["failed", "bad"],
  lost: ["gateway died", "bad"],
};

/** How a session ended, or that it has not. */
export function End({ reason }: { reason: string | null | undefined }) {
  if (!reason) {
    return (
      <Badge tone="good">
        <span aria-hidden className="size-1.5 animate-breathe rounded-full bg-current" /> open
      </Badge>
    );
  }
  const [name, tone] = ENDS[reason] ?? [reason, "plain"];
  return <Badge tone={tone}>{name}</Badge>;
}
