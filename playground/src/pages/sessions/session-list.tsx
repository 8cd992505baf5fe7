import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { ChartSpline, Disc, History, Search, SearchX } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { Link } from "wouter";
import { agents } from "@/api/agents";
import { lasted, queryOf, type Session, type Sought, sessions } from "@/api/sessions";
import { CopyAs } from "@/parts/copy-as";
import { ENDS, End } from "@/parts/ends";
import { Failed } from "@/parts/failed";
import { counted, duration, moment } from "@/parts/figures";
import { Page } from "@/parts/page";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { Empty } from "@/ui/empty";
import { Input, Select } from "@/ui/field";
import { Skeleton } from "@/ui/skeleton";

const ANY: Sought = { words: "", agent: "", endReason: "", from: "", to: "" };

/** All conversations there were, to be searched. */
export function SessionList() {
  const [sought, setSought] = useState(ANY);
  const query = useInfiniteQuery(sessions(useDeferredValue(sought)));
  const found = query.data?.pages.flatMap(({ data }) => data) ?? [];
  const asked = new URLSearchParams(queryOf(sought));
  return (
    <Page
      title="Sessions"
      about="Every conversation: what was heard, how it went, and what it took."
      actions={
        <>
          <CopyAs
            call={{ method: "GET", path: asked.size ? `/v1/sessions?${asked}` : "/v1/sessions" }}
          />
          <Button asChild size="sm">
            <Link href="/analytics">
              <ChartSpline aria-hidden /> Analytics
            </Link>
          </Button>
        </>
      }
    >
      <Filters sought={sought} set={(part) => setSought({ ...sought, ...part })} />
      {query.isError ? (
        <Failed what="No sessions to show" error={query.error} again={() => void query.refetch()} />
      ) : (
        <Card aria-label="Sessions" className="overflow-hidden">
          {query.isPending ? <Waiting /> : null}
          {query.isSuccess && found.length === 0 ? <Nothing sought={sought !== ANY} /> : null}
          <ul>
            {found.map((session) => (
              <Row key={session.id} session={session} />
            ))}
          </ul>
          {query.hasNextPage ? (
            <div className="flex justify-center border-t p-3">
              <Button
                variant="quiet"
                disabled={query.isFetchingNextPage}
                onClick={() => void query.fetchNextPage()}
              >
                {query.isFetchingNextPage ? "Loading" : "Older ones"}
              </Button>
            </div>
          ) : null}
        </Card>
      )}
    </Page>
  );
}

interface FiltersProps {
  sought: Sought;
  set: (part: Partial<Sought>) => void;
}

function Filters({ sought, set }: FiltersProps) {
  const { data } = useQuery(agents);
  return (
    <search className="grid grid-cols-2 gap-2 lg:grid-cols-[1fr_11rem_11rem_10rem_10rem]">
      <span className="relative max-lg:col-span-2">
        <Search aria-hidden className="absolute top-3 left-3 size-4 text-soft" />
        <Input
          type="search"
          aria-label="Words that were said"
          placeholder="Words that were said"
          value={sought.words}
          onChange={({ target }) => set({ words: target.value })}
          className="pl-9"
        />
      </span>
      <Select
        aria-label="Agent"
        value={sought.agent}
        onChange={({ target }) => set({ agent: target.value })}
      >
        <option value="">Any agent</option>
        {data?.data.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </Select>
      <Select
        aria-label="How it ended"
        value={sought.endReason}
        onChange={({ target }) => set({ endReason: target.value })}
      >
        <option value="">Any end</option>
        {Object.entries(ENDS).map(([reason, [name]]) => (
          <option key={reason} value={reason}>
            {name}
          </option>
        ))}
      </Select>
      <Input
        type="date"
        aria-label="From"
        title="From"
        value={sought.from}
        onChange={({ target }) => set({ from: target.value })}
      />
      <Input
        type="date"
        aria-label="Until"
        title="Until"
        value={sought.to}
        onChange={({ target }) => set({ to: target.value })}
      />
    </search>
  );
}

function Row({ session }: { session: Session }) {
  const { id, began_at, transport, agent_id, responses, interruptions, recorded } = session;
  const { data } = useQuery(agents);
  const agent = data?.data.find((one) => one.id === agent_id)?.name ?? agent_id;
  return (
    <li className="border-t first:border-t-0">
      <Link
        href={`/${encodeURIComponent(id)}`}
        className="grid grid-cols-[1fr_auto] items-center gap-x-4 gap-y-1 px-5 py-3.5 transition-colors hover:bg-royal-tint sm:grid-cols-[13rem_1fr_auto_auto]"
      >
        <span className="font-medium text-sm">{moment(began_at)}</span>
        <span className="truncate text-soft text-sm max-sm:order-3 max-sm:col-span-2">
          {agent || "Own instructions"} · {transport} · {counted(responses, "answer")}
          {interruptions ? ` · ${counted(interruptions, "interruption")}` : ""}
        </span>
        <span className="figures flex items-center justify-end gap-2 text-soft text-sm max-sm:hidden">
          {recorded ? (
            <Badge>
              <Disc aria-hidden className="size-3" /> recorded
            </Badge>
          ) : null}
          {duration(lasted(session))}
        </span>
        <span className="flex justify-end sm:w-36">
          <End reason={session.end_reason} />
        </span>
      </Link>
    </li>
  );
}

function Waiting() {
  return (
    <div role="status" aria-label="Loading" className="flex flex-col">
      {[0, 1, 2, 3, 4].map((row) => (
        <div key={row} className="flex items-center gap-6 border-t px-5 py-4 first:border-t-0">
          <Skeleton className="h-4 w-40" />
          <Skeleton className="h-4 flex-1" />
          <Skeleton className="h-5 w-24 rounded-full" />
        </div>
      ))}
    </div>
  );
}

function Nothing({ sought }: { sought: boolean }) {
  if (sought) {
    return (
      <Empty icon={SearchX} title="No session fits">
        Words are looked for as they were said: <code>refund -exchange</code>, or{" "}
        <code>"two rolls"</code> in quotes for just these.
      </Empty>
    );
  }
  return (
    <Empty
      icon={History}
      title="No sessions yet"
      action={
        <Button asChild variant="primary">
          <Link href="~/app/">Hold the first</Link>
        </Button>
      }
    >
      Whoever talks with this server, from the playground, a phone or your own program, leaves a
      session here.
    </Empty>
  );
}
