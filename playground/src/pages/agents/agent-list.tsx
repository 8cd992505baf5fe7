import { useQuery } from "@tanstack/react-query";
import { AudioLines, Bot, Plus } from "lucide-react";
import { Link } from "wouter";
import { type Agent, agents } from "@/api/agents";
import { CopyAs } from "@/parts/copy-as";
import { Failed } from "@/parts/failed";
import { moment } from "@/parts/figures";
import { Page } from "@/parts/page";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { Empty } from "@/ui/empty";
import { Skeleton } from "@/ui/skeleton";
import { textAt } from "./config";
import { TryIt } from "./try-it";

/** Who answers here. */
export function AgentList() {
  const { data, error, isPending, refetch } = useQuery(agents);
  return (
    <Page
      title="Agents"
      about="An agent is who answers: its instructions, voice, tools and knowledge. Every change is a version."
      actions={
        <>
          <CopyAs call={{ method: "GET", path: "/v1/agents" }} />
          <Button asChild variant="primary">
            <Link href="/new">
              <Plus aria-hidden /> New agent
            </Link>
          </Button>
        </>
      }
    >
      {error ? (
        <Failed what="No agents to show" error={error} again={() => void refetch()} />
      ) : null}
      {data?.data.length === 0 ? (
        <Card>
          <Empty
            icon={Bot}
            title="No agents yet"
            action={
              <Button asChild variant="primary">
                <Link href="/new">Make the first</Link>
              </Button>
            }
          >
            Begin with instructions, as to a new colleague: who they are, what they know, what they
            may do. Then talk with it at once, and change it until it is right.
          </Empty>
        </Card>
      ) : null}
      <ul className="grid gap-4 sm:grid-cols-2 xl:grid-cols-3">
        {isPending
          ? [0, 1, 2].map((one) => <Skeleton key={one} className="h-44 rounded-card" />)
          : null}
        {data?.data.map((agent) => (
          <li key={agent.id}>
            <AgentCard agent={agent} />
          </li>
        ))}
      </ul>
    </Page>
  );
}

function AgentCard({ agent }: { agent: Agent }) {
  return (
    <Card
      aria-label={agent.name}
      className="group relative flex h-full flex-col gap-3 p-5 transition-[transform,border-color] duration-200 ease-out hover:-translate-y-0.5 hover:border-edge-strong"
    >
      <div className="flex items-start justify-between gap-3">
        <h2 className="min-w-0 break-words font-semibold">
          <Link
            href={`/${encodeURIComponent(agent.id)}`}
            className="after:absolute after:inset-0 after:rounded-card"
          >
            {agent.name}
          </Link>
        </h2>
        <Badge className="figures">v{agent.version}</Badge>
      </div>
      <p className="line-clamp-3 flex-1 text-soft text-sm leading-relaxed">
        {textAt(agent.config, "session.instructions") || "No instructions yet."}
      </p>
      <div className="flex items-center justify-between gap-2">
        <span className="text-soft text-xs">{moment(agent.changed_at)}</span>
        <TryIt id={agent.id} className="relative">
          <AudioLines aria-hidden /> Talk
        </TryIt>
      </div>
    </Card>
  );
}
