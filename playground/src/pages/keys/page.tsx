import { useInfiniteQuery } from "@tanstack/react-query";
import { KeyRound } from "lucide-react";
import { type Key, keys } from "@/api/keys";
import { signIn } from "@/api/web-session";
import { Failed } from "@/parts/failed";
import { moment } from "@/parts/figures";
import { Page } from "@/parts/page";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { Empty } from "@/ui/empty";
import { Skeleton } from "@/ui/skeleton";
import { useStore } from "@/use-store";
import { MakeKey } from "./make-key";
import { RevokeKey } from "./revoke-key";

/** Who may come in, and what they may do. */
export default function Keys() {
  const query = useInfiniteQuery(keys);
  const found = query.data?.pages.flatMap(({ data }) => data) ?? [];
  const state = useStore(signIn);
  const mine = state.at === "in" ? state.session.key.id : "";
  return (
    <Page
      title="Keys"
      about="Every program has a key of its own: then it can be told apart, limited, and shut out alone."
      actions={<MakeKey />}
    >
      {query.error ? (
        <Failed what="No keys to show" error={query.error} again={() => void query.refetch()} />
      ) : (
        <Card aria-label="Keys" className="overflow-hidden">
          {query.isPending ? <Skeleton className="m-5 h-40" /> : null}
          {query.isSuccess && found.length === 0 ? (
            <Empty icon={KeyRound} title="No keys">
              Make one for each program that talks with this server.
            </Empty>
          ) : null}
          <ul>
            {found.map((key) => (
              <Row key={key.id} of={key} mine={key.id === mine} />
            ))}
          </ul>
          {query.hasNextPage ? (
            <div className="flex justify-center border-t p-3">
              <Button variant="quiet" onClick={() => void query.fetchNextPage()}>
                More
              </Button>
            </div>
          ) : null}
        </Card>
      )}
    </Page>
  );
}

function Row({ of: key, mine }: { of: Key; mine: boolean }) {
  const dead = stateOf(key);
  return (
    <li className="flex flex-wrap items-center gap-x-6 gap-y-2 border-t px-5 py-4 first:border-t-0">
      <div className="min-w-48 flex-1">
        <p className="flex flex-wrap items-center gap-2 font-medium">
          {key.name || "Unnamed"}
          {mine ? <Badge tone="royal">yours</Badge> : null}
          {dead ? <Badge tone="bad">{dead}</Badge> : null}
        </p>
        <p className="font-mono text-soft text-xs">
          {key.prefix}… · {key.account_id}
        </p>
      </div>
      <p className="flex flex-1 flex-wrap gap-1.5">
        {key.scopes.map((scope) => (
          <Badge key={scope}>{scope}</Badge>
        ))}
      </p>
      <p className="w-44 text-soft text-xs leading-relaxed">
        {key.last_used_at ? `used ${moment(key.last_used_at)}` : "never used"}
        <br />
        {key.expires_at ? `until ${moment(key.expires_at)}` : `made ${moment(key.created_at)}`}
      </p>
      <div className="w-24 text-right">{dead ? null : <RevokeKey of={key} mine={mine} />}</div>
    </li>
  );
}

function stateOf({ revoked_at, expires_at }: Key): string | null {
  if (revoked_at) return "revoked";
  return expires_at && Date.parse(expires_at) < Date.now() ? "expired" : null;
}
