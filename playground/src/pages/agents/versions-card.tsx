import { useQuery, useQueryClient } from "@tanstack/react-query";
import { History } from "lucide-react";
import { type Agent, type Config, agent as one, versionsOf } from "@/api/agents";
import { said } from "@/api/refusal";
import { moment } from "@/parts/figures";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Card, CardBody, CardHeader, CardTitle } from "@/ui/card";
import { Skeleton } from "@/ui/skeleton";
import { toast } from "@/ui/toast";
import { TryIt } from "./try-it";

interface Props {
  agent: Agent;
  /** Take an earlier version's config into the editor. */
  use: (config: Config) => void;
}

/** How it came to be what it is. */
export function VersionsCard({ agent, use }: Props) {
  const { data, error, isPending } = useQuery(versionsOf(agent.id));
  const queries = useQueryClient();
  const load = async (version: number) => {
    try {
      const earlier = await queries.fetchQuery(one(agent.id, version));
      use(earlier.config);
      toast(`Version ${version} is in the editor`, "Save it to use it again.");
    } catch (refused) {
      toast("The version cannot be had", said(refused), "bad");
    }
  };
  return (
    <Card aria-label="Versions">
      <CardHeader>
        <CardTitle className="flex items-center gap-2">
          <History aria-hidden className="size-4 text-royal-ink" /> Versions
        </CardTitle>
      </CardHeader>
      <CardBody className="max-h-96 overflow-y-auto">
        {isPending ? <Skeleton className="h-20" /> : null}
        {error ? <p className="text-soft text-sm">{said(error)}</p> : null}
        <ul className="flex flex-col gap-1">
          {data?.data.map(({ version, created_at }) => (
            <li key={version} className="flex items-center justify-between gap-2 py-1 text-sm">
              <span className="figures">
                v{version} <span className="text-soft text-xs">{moment(created_at)}</span>
              </span>
              {version === agent.version ? (
                <Badge tone="good">in use</Badge>
              ) : (
                <span className="flex">
                  <TryIt id={`${agent.id}@${version}`} variant="quiet">
                    Talk
                  </TryIt>
                  <Button size="sm" variant="quiet" onClick={() => void load(version)}>
                    Take up
                  </Button>
                </span>
              )}
            </li>
          ))}
        </ul>
      </CardBody>
    </Card>
  );
}
