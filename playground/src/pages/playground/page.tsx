import { X } from "lucide-react";
import { useState } from "react";
import { useTitle } from "@/parts/use-title";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { cn } from "@/ui/cn";
import { Notice } from "@/ui/notice";
import { Tabs, TabsList, TabsTrigger } from "@/ui/tabs";
import { useStore } from "@/use-store";
import { Composer } from "./composer";
import { call } from "./current-call";
import { Inspector } from "./inspector";
import { PendingCalls } from "./pending-calls";
import { SetupPanel } from "./setup-panel";
import { Stage } from "./stage";
import { TranscriptView } from "./transcript-view";

type Part = "talk" | "setup" | "inspect";

/** Talk with an agent, and see all of it. On a narrow screen one part at a time. */
export default function Playground() {
  const [part, setPart] = useState<Part>("talk");
  useTitle("Playground");
  const only = (one: Part) => cn(part !== one && "max-xl:hidden");
  return (
    <div className="flex h-full flex-col gap-3 p-3 sm:p-4">
      <h1 className="sr-only">Playground</h1>
      <Tabs value={part} onValueChange={(value) => setPart(value as Part)} className="xl:hidden">
        <TabsList className="w-full" aria-label="Part of the playground">
          <TabsTrigger value="talk" aria-controls="talk">
            Talk
          </TabsTrigger>
          <TabsTrigger value="setup" aria-controls="setup">
            Setup
          </TabsTrigger>
          <TabsTrigger value="inspect" aria-controls="inspect">
            Inspect
          </TabsTrigger>
        </TabsList>
      </Tabs>
      <div className="grid min-h-0 flex-1 gap-4 xl:grid-cols-[16.5rem_minmax(0,1fr)_20rem] min-[90rem]:grid-cols-[19rem_minmax(0,1fr)_24rem]">
        <div id="setup" className={cn("min-h-0 overflow-y-auto rounded-card", only("setup"))}>
          <SetupPanel />
        </div>
        <Card
          id="talk"
          aria-label="Conversation"
          className={cn("flex min-h-0 flex-col", only("talk"))}
        >
          <Conversation />
        </Card>
        <div id="inspect" className={cn("flex min-h-0 flex-col", only("inspect"))}>
          <Inspector />
        </div>
      </div>
    </div>
  );
}

function Conversation() {
  const state = useStore(call.store);
  const begun = state.transcript.order.length > 0 || state.earlier.length > 0;
  return (
    <>
      <div className={cn("flex flex-col", !begun && "flex-1 justify-center")}>
        <Stage />
      </div>
      <div className="mx-auto flex w-full max-w-2xl flex-col gap-2 px-4 py-3 empty:hidden">
        {state.notices.map(({ id, kind, title, text }) => (
          <Notice
            key={id}
            kind={kind}
            title={title}
            action={
              <Button
                variant="quiet"
                size="icon-sm"
                aria-label="Dismiss"
                onClick={() => call.dismiss(id)}
              >
                <X aria-hidden />
              </Button>
            }
          >
            {text}
          </Notice>
        ))}
      </div>
      {begun ? <TranscriptView state={state} /> : null}
      <div className="mx-auto flex max-h-[60%] w-full max-w-2xl shrink-0 flex-col gap-2 overflow-y-auto px-4 pb-3 empty:hidden sm:px-6">
        <PendingCalls transcript={state.transcript} />
      </div>
      <Composer />
    </>
  );
}
