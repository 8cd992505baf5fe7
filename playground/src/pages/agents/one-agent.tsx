import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ArrowLeft, AudioLines, Save } from "lucide-react";
import { useEffect, useState } from "react";
import { Link, useLocation } from "wouter";
import { type Agent, agent, type Config, keep } from "@/api/agents";
import { CopyAs } from "@/parts/copy-as";
import { Failed } from "@/parts/failed";
import { Page } from "@/parts/page";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Card, CardBody } from "@/ui/card";
import { Skeleton } from "@/ui/skeleton";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "@/ui/tabs";
import { toast } from "@/ui/toast";
import { AgentForm } from "./agent-form";
import { DeleteAgent } from "./delete-agent";
import { JsonEditor } from "./json-editor";
import { ToolsForm } from "./tools-form";
import { TryIt } from "./try-it";
import { VersionsCard } from "./versions-card";

const BEGINNING: Config = {
  session: { instructions: "You are a friendly assistant. Answer in one or two short sentences." },
  tools: [{ type: "end_call" }],
};

export function NewAgent() {
  return <Editor saved={null} name="" config={BEGINNING} />;
}

export function OneAgent({ id }: { id: string }) {
  const { data, error, refetch } = useQuery(agent(id));
  if (data) return <Editor key={data.version} saved={data} name={data.name} config={data.config} />;
  return (
    <Page title="Agent" back={<Back />}>
      {error ? (
        <Failed what="The agent cannot be shown" error={error} again={() => void refetch()} />
      ) : (
        <Skeleton className="h-96 rounded-card" />
      )}
    </Page>
  );
}

interface EditorProps {
  saved: Agent | null;
  name: string;
  config: Config;
}

function Editor({ saved, ...given }: EditorProps) {
  const [name, setName] = useState(given.name);
  const [config, setConfig] = useState(given.config);
  const [, go] = useLocation();
  const queries = useQueryClient();
  const changed =
    saved === null ||
    name !== saved.name ||
    JSON.stringify(config) !== JSON.stringify(saved.config);
  useWarning(changed && saved !== null);
  const saving = useMutation({
    mutationFn: () => keep(saved?.id ?? null, name.trim(), config),
    onSuccess: (now) => {
      void queries.invalidateQueries({ queryKey: ["agents"] });
      void queries.invalidateQueries({ queryKey: ["agent", now.id, "versions"] });
      queries.setQueryData(agent(now.id).queryKey, now);
      toast(saved ? `Version ${now.version} is in use` : "The agent is ready", undefined, "good");
      if (!saved) go(`/${encodeURIComponent(now.id)}`);
    },
  });
  return (
    <Page
      title={saved ? saved.name : "New agent"}
      back={<Back />}
      about={saved ? <span className="font-mono text-xs">{saved.id}</span> : undefined}
      actions={
        <>
          {saved ? <DeleteAgent agent={saved} /> : null}
          <CopyAs
            call={{
              method: saved ? "PATCH" : "POST",
              path: saved ? `/v1/agents/${saved.id}` : "/v1/agents",
              body: { name, config },
            }}
          />
          <Button
            size="sm"
            variant={changed ? "primary" : "glass"}
            disabled={!changed || !name.trim() || saving.isPending}
            onClick={() => saving.mutate()}
          >
            <Save aria-hidden /> {saved ? (changed ? "Save as a version" : "Saved") : "Make it"}
          </Button>
        </>
      }
    >
      {saving.error ? <Failed what="Not saved" error={saving.error} /> : null}
      <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <Card aria-label="Agent" className="min-w-0">
          <Tabs defaultValue="form">
            <div className="flex items-center justify-between gap-3 px-5 pt-4">
              <TabsList>
                <TabsTrigger value="form">Agent</TabsTrigger>
                <TabsTrigger value="tools">Tools</TabsTrigger>
                <TabsTrigger value="json">JSON</TabsTrigger>
              </TabsList>
              {changed && saved ? <Badge tone="warn">unsaved</Badge> : null}
            </div>
            <CardBody className="pt-5">
              <TabsContent value="form">
                <AgentForm name={name} setName={setName} config={config} setConfig={setConfig} />
              </TabsContent>
              <TabsContent value="tools">
                <ToolsForm config={config} setConfig={setConfig} />
              </TabsContent>
              <TabsContent value="json">
                <JsonEditor config={config} setConfig={setConfig} />
              </TabsContent>
            </CardBody>
          </Tabs>
        </Card>
        {saved ? (
          <div className="flex min-w-0 flex-col gap-5">
            <Card aria-label="Try it" className="flex flex-col gap-3 p-5">
              <p className="text-soft text-sm leading-relaxed">
                {changed
                  ? "Talk with the version that is saved; yours is not yet."
                  : "Talk with it, and come back to change it."}
              </p>
              <TryIt id={saved.id} primary>
                <AudioLines aria-hidden /> Talk with {saved.name}
              </TryIt>
            </Card>
            <VersionsCard agent={saved} use={setConfig} />
          </div>
        ) : null}
      </div>
    </Page>
  );
}

function Back() {
  return (
    <Link
      href="/"
      className="flex items-center gap-1.5 self-start text-royal-ink text-sm hover:underline"
    >
      <ArrowLeft aria-hidden className="size-4" /> Agents
    </Link>
  );
}

/** Leaving the site with what is not saved: the browser asks. */
function useWarning(unsaved: boolean) {
  useEffect(() => {
    if (!unsaved) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [unsaved]);
}
