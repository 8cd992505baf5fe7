import { Braces, Gauge, Wrench } from "lucide-react";
import { pendingCalls } from "@/realtime/transcript";
import { Badge } from "@/ui/badge";
import { Card } from "@/ui/card";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "@/ui/tabs";
import { useStore } from "@/use-store";
import { call } from "./current-call";
import { EventList } from "./event-list";
import { TimingView } from "./timing-view";
import { ToolsView } from "./tools-view";

/** What went on under the conversation. */
export function Inspector() {
  const state = useStore(call.store);
  const pending = pendingCalls(state.transcript).length;
  return (
    <Card aria-label="Inspector" className="flex min-h-0 flex-1 flex-col">
      <Tabs defaultValue="timing" className="flex min-h-0 flex-1 flex-col">
        <div className="p-3">
          <TabsList className="w-full">
            <TabsTrigger value="timing">
              <Gauge aria-hidden className="size-4" /> Timing
            </TabsTrigger>
            <TabsTrigger value="events">
              <Braces aria-hidden className="size-4" /> Events
            </TabsTrigger>
            <TabsTrigger value="tools">
              <Wrench aria-hidden className="size-4" /> Tools
              {pending ? <Badge tone="warn">{pending}</Badge> : null}
            </TabsTrigger>
          </TabsList>
        </div>
        <TabsContent value="timing" className="min-h-0 flex-1 overflow-y-auto px-4 pb-4">
          <TimingView state={state} />
        </TabsContent>
        <TabsContent value="events" className="flex min-h-0 flex-1 flex-col">
          <EventList log={state.log} />
        </TabsContent>
        <TabsContent value="tools" className="min-h-0 flex-1 overflow-y-auto px-4 pb-4">
          <ToolsView />
        </TabsContent>
      </Tabs>
    </Card>
  );
}
