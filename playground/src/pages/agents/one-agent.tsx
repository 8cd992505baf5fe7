import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ArrowLeft, AudioLines, Save } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { Link, useLocation } from "wouter";
import { type Agent, agent, type Config, keep } from "@/api/agents";
import { onLeaving } from "@/api/leaving";
import { CopyAs } from "@/parts/copy-as";
import { Failed } from "@/parts/failed";
import { Page } from "@/parts/page";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Card, CardBody } from "@/ui/card";
import { Notice } from "@/ui/notice";
import { Skeleton } from "@/ui/skeleton";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "@/ui/tabs";
import { toast } from "@/ui/toast";
import { AgentForm } from "./agent-form";
import { DeleteAgent } from "./delete-agent";
import { FaultContext, faultOf, partOf } from "./faults";
import { JsonEditor } from "./json-editor";
import { KnowledgeForm } from "./knowledge-form";
import { ToolsForm } from "./tools-form";
import { TryIt } from "./try-it";
import { VariablesForm } from "./variables-form";
import { VersionsCard } from "./versions-card";
import { WebhooksForm } from "./webhooks-form";

/** The parts of the editor; the JSON is all of it. */
const PARTS = {
  form: "Agent",
  tools: "Tools",
  knowledge: "Knowledge",
  variables: "Variables",
  webhooks: "Webhooks",
  json: "JSON",
};

const BEGINNING: Config = {
  session: { instructions: "You are a friendly assistant. Answer in one or two short sentences." },
  tools: [{ type: "end_call" }],
};

export function NewAgent() {
  return <Editor saved={null} name="" config={BEGINNING} />;
}

export function OneAgent({ id }: { id: string }) {
  const { data, error, refetch } = useQuery(agent(id));
  if (data) return <Editor key={data.id} saved={data} name={data.name} config={data.config} />;
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

interface Draft {
  name: string;
  config: Config;
  base: Agent | null;
}

/** What is not saved yet, by agent: it waits while another page is looked at. */
const drafts = new Map<string, Draft>();

onLeaving(() => drafts.clear());

function differs(one: { name: string; config: Config }, saved: Agent): boolean {
  const same = JSON.stringify(one.config) === JSON.stringify(saved.config);
  return one.name.trim() !== saved.name || !same;
}

interface EditorProps {
  saved: Agent | null;
  name: string;
  config: Config;
}

function Editor({ saved, ...given }: EditorProps) {
  const place = saved?.id ?? "";
  const draft = drafts.get(place);
  const [name, setName] = useState(draft?.name ?? given.name);
  const [config, setConfig] = useState(draft?.config ?? given.config);
  const [base, setBase] = useState(draft?.base ?? saved); // what is being changed
  const [taken, setTaken] = useState(0); // how often another version was taken up
  const [part, setPart] = useState("form");
  const [, go] = useLocation();
  const queries = useQueryClient();
  const card = useRef<HTMLDivElement>(null);
  const changed = base === null || differs({ name, config }, base);
  useWarning(changed && saved !== null);
  useEffect(() => {
    if (changed) drafts.set(place, { name, config, base });
    else drafts.delete(place);
  }, [place, changed, name, config, base]);
  const takeUp = (version: Agent) => {
    setName(version.name);
    setConfig(version.config);
    setBase(version);
    setTaken((times) => times + 1);
  };
  const elsewhere = saved !== null && base !== null && saved.version > base.version ? saved : null;
  useEffect(() => {
    if (elsewhere && !changed) takeUp(elsewhere);
  });
  const saving = useMutation({
    mutationFn: (sent: { name: string; config: Config }) =>
      keep(saved?.id ?? null, sent.name, sent.config),
    onSuccess: (now, sent) => {
      drafts.delete(place);
      setBase({ ...now, ...sent }); // the server has it in other words
      void queries.invalidateQueries({ queryKey: ["agents"] });
      void queries.invalidateQueries({ queryKey: ["agent", now.id, "versions"] });
      queries.setQueryData(agent(now.id).queryKey, now);
      toast(saved ? `Version ${now.version} is in use` : "The agent is ready", undefined, "good");
      if (!saved) go(`/${encodeURIComponent(now.id)}`);
    },
    onError: (error) => {
      const fault = faultOf(error);
      if (fault) setPart(partOf(fault));
    },
  });
  const fault = faultOf(saving.error);
  /** Whoever changes it may have mended it. */
  const changing =
    <T,>(change: (value: T) => void) =>
    (value: T) => {
      if (saving.isError) saving.reset();
      change(value);
    };
  const editing = { config, setConfig: changing(setConfig) };
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
            onClick={() => {
              const wrong = !saving.isError && card.current?.querySelector('[aria-invalid="true"]');
              if (wrong) toast("Not saved", "Something that is marked cannot be read yet.", "bad");
              else saving.mutate({ name: name.trim(), config });
            }}
          >
            <Save aria-hidden /> {saved ? (changed ? "Save as a version" : "Saved") : "Make it"}
          </Button>
        </>
      }
    >
      {saving.error ? <Failed what="Not saved" error={saving.error} /> : null}
      {elsewhere && changed ? (
        <Notice
          kind="warn"
          title={`Version ${elsewhere.version} was saved elsewhere`}
          action={
            <Button size="sm" onClick={() => takeUp(elsewhere)}>
              Take it up
            </Button>
          }
        >
          What stands here is not in it: save it as the next version, or take that one up instead.
        </Notice>
      ) : null}
      <div ref={card} className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <Card aria-label="Agent" className="min-w-0">
          <Tabs key={taken} value={part} onValueChange={setPart}>
            <div className="flex items-center justify-between gap-3 px-5 pt-4">
              <TabsList className="max-w-full overflow-x-auto">
                {Object.entries(PARTS).map(([value, name]) => (
                  <TabsTrigger key={value} value={value}>
                    {name}
                    {fault && partOf(fault) === value ? <Wrong /> : null}
                  </TabsTrigger>
                ))}
              </TabsList>
              {changed && saved ? (
                <Badge tone="warn" className="max-sm:hidden">
                  unsaved
                </Badge>
              ) : null}
            </div>
            <CardBody className="pt-5">
              <FaultContext.Provider value={fault}>
                <TabsContent value="form">
                  <AgentForm name={name} setName={changing(setName)} {...editing} />
                </TabsContent>
                <TabsContent value="tools">
                  <ToolsForm {...editing} />
                </TabsContent>
                <TabsContent value="knowledge">
                  <KnowledgeForm {...editing} />
                </TabsContent>
                <TabsContent value="variables">
                  <VariablesForm {...editing} />
                </TabsContent>
                <TabsContent value="webhooks">
                  <WebhooksForm {...editing} />
                </TabsContent>
                <TabsContent value="json">
                  <JsonEditor {...editing} />
                </TabsContent>
              </FaultContext.Provider>
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
              <TryIt id={saved.id} variant="primary">
                <AudioLines aria-hidden /> Talk with {saved.name}
              </TryIt>
            </Card>
            <VersionsCard
              agent={saved}
              use={(config) => {
                editing.setConfig(config);
                setTaken(taken + 1);
              }}
            />
          </div>
        ) : null}
      </div>
    </Page>
  );
}

function Wrong() {
  return (
    <span className="size-2 rounded-full bg-bad">
      <span className="sr-only">, something is wrong here</span>
    </span>
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
