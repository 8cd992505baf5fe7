import { useInfiniteQuery } from "@tanstack/react-query";
import { KeyRound } from "lucide-react";
import { useState } from "react";
import { type Key, keys } from "@/api/keys";
import { signIn } from "@/api/web-session";
import { CopyAs } from "@/parts/copy-as";
import { Failed } from "@/parts/failed";
import { counted, moment } from "@/parts/figures";
import { Page } from "@/parts/page";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { Empty } from "@/ui/empty";
import { Skeleton } from "@/ui/skeleton";
import { Switch } from "@/ui/switch";
import { useStore } from "@/use-store";
import { limitsIn } from "./limits";
import { MakeKey } from "./make-key";
import { RevokeKey } from "./revoke-key";
import { RotateKey } from "./rotate-key";
import { type State, stateOf } from "./state";

/** Who may come in, and what they may do. */
export default function Keys() {
  const query = useInfiniteQuery(keys);
  const found = query.data?.pages.flatMap(({ data }) => data) ?? [];
  const state = useStore(signIn);
  const mine = state.at === "in" ? state.session.key.id : "";
  const [all, setAll] = useState(false);
  const [replacing, setReplacing] = useState<Key | null>(null);
  const now = Date.now();
  const told = found.map((key) => ({ key, state: stateOf(key, now) }));
  const shown = told.filter(({ state }) => all || !state.dead);
  const hidden = told.length - shown.length;
  return (
    <Page
      title="Keys"
      about="Every program has a key of its own: then it can be told apart, limited, and shut out alone."
      actions={
        <>
          <CopyAs call={{ method: "GET", path: "/v1/admin/keys" }} />
          <MakeKey />
        </>
      }
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
            {shown.map(({ key, state }) => (
              <Row
                key={key.id}
                of={key}
                state={state}
                mine={key.id === mine}
                replace={() => setReplacing(key)}
              />
            ))}
          </ul>
          {hidden || all ? (
            <label className="flex cursor-pointer items-center justify-end gap-3 border-t px-5 py-3 text-soft text-sm">
              {all
                ? "With those that open nothing any more"
                : `${counted(hidden, "key")} more, revoked or expired`}
              <Switch
                aria-label="Show revoked and expired keys"
                checked={all}
                onCheckedChange={setAll}
              />
            </label>
          ) : null}
          {query.hasNextPage ? (
            <div className="flex justify-center border-t p-3">
              <Button variant="quiet" onClick={() => void query.fetchNextPage()}>
                More
              </Button>
            </div>
          ) : null}
        </Card>
      )}
      {replacing ? (
        <RotateKey of={replacing} mine={replacing.id === mine} close={() => setReplacing(null)} />
      ) : null}
    </Page>
  );
}

interface RowProps {
  of: Key;
  state: State;
  mine: boolean;
  replace: () => void;
}

function Row({ of: key, state, mine, replace }: RowProps) {
  const { dead, until, replaced } = state;
  const limits = limitsIn(key.limits);
  return (
    <li className="flex flex-wrap items-center gap-x-6 gap-y-2 border-t px-5 py-4 first:border-t-0">
      <div className="min-w-48 flex-1">
        <p className="flex flex-wrap items-center gap-2 font-medium">
          {key.name || "Unnamed"}
          {mine ? <Badge tone="royal">yours</Badge> : null}
          {dead ? <Badge tone="bad">{dead}</Badge> : null}
          {replaced ? <Badge tone="warn">replaced</Badge> : null}
        </p>
        <p className="break-all font-mono text-soft text-xs">
          {key.prefix}… · {key.account_id}
        </p>
        {limits.length ? (
          <p className="figures text-soft text-xs leading-relaxed">at most {limits.join(", ")}</p>
        ) : null}
      </div>
      <p className="flex flex-1 flex-wrap gap-1.5">
        {key.scopes.map((scope) => (
          <Badge key={scope}>{scope}</Badge>
        ))}
      </p>
      <p className="w-44 text-soft text-xs leading-relaxed">
        {key.last_used_at ? `used ${moment(key.last_used_at)}` : "never used"}
        <br />
        {until ? `${dead ?? "until"} ${moment(until)}` : `made ${moment(key.created_at)}`}
      </p>
      <div className="flex w-40 justify-end">
        {dead ? null : (
          <>
            {replaced ? null : (
              <Button size="sm" variant="quiet" onClick={replace}>
                Replace
              </Button>
            )}
            <RevokeKey of={key} mine={mine} />
          </>
        )}
      </div>
    </li>
  );
}
