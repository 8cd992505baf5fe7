import { BookMarked, ChevronDown, MessagesSquare, Wrench } from "lucide-react";
import type { Turn } from "@/api/sessions";
import { duration, milliseconds } from "@/parts/figures";
import { Waterfall, WaterfallLegend } from "@/parts/waterfall";
import { type Measured, spansOf } from "@/realtime/timing";
import { Badge } from "@/ui/badge";
import { Card } from "@/ui/card";
import { cn } from "@/ui/cn";
import { Empty } from "@/ui/empty";

/** Turn by turn, what was heard, and where the time of each answer went. */
export function Turns({
  turns,
  seek,
}: {
  turns: readonly Turn[];
  seek: ((ms: number) => void) | null;
}) {
  if (turns.length === 0) {
    return (
      <Card aria-label="Transcript">
        <Empty icon={MessagesSquare} title="Nothing was said">
          The session was opened, and nobody spoke or wrote.
        </Empty>
      </Card>
    );
  }
  const measured = turns.flatMap((turn) => measuredOf(turn) ?? []);
  const widthMs = Math.max(0, ...measured.flatMap(spansOf).map(({ toMs }) => toMs));
  return (
    <Card aria-label="Transcript" className="flex flex-col p-2 sm:p-4">
      {measured.length ? (
        <div className="px-3 pt-1 pb-3">
          <WaterfallLegend />
        </div>
      ) : null}
      <ol className="flex flex-col gap-1">
        {turns.map((turn) => (
          <Row key={turn.number} turn={turn} widthMs={widthMs} seek={seek} />
        ))}
      </ol>
    </Card>
  );
}

interface RowProps {
  turn: Turn;
  widthMs: number;
  seek: ((ms: number) => void) | null;
}

const WHO: Record<string, string> = { caller: "Caller", agent: "Agent", tool: "Tool" };

function Row({ turn, widthMs, seek }: RowProps) {
  const measured = measuredOf(turn);
  return (
    <li className="grid grid-cols-[3.25rem_1fr] gap-3 rounded-2xl px-3 py-2.5 hover:bg-sunken">
      <At ms={turn.at_ms} seek={seek} />
      <div className="flex min-w-0 flex-col gap-1.5">
        <div className="flex flex-wrap items-center gap-2">
          <Badge
            tone={turn.kind === "caller" ? "caller" : turn.kind === "agent" ? "royal" : "plain"}
          >
            {WHO[turn.kind] ?? turn.kind}
          </Badge>
          {turn.status === "incomplete" ? <Badge tone="warn">cut short</Badge> : null}
          {turn.status === "deleted" ? <Badge>deleted from the conversation</Badge> : null}
          {turn.status === "in_progress" ? <Badge tone="good">now</Badge> : null}
        </div>
        {turn.kind === "tool" ? <ToolCall turn={turn} /> : <Said turn={turn} />}
        {(turn.sources ?? []).length ? <Sources turn={turn} /> : null}
        {measured ? <Time measured={measured} widthMs={widthMs} /> : null}
      </div>
    </li>
  );
}

function At({ ms, seek }: { ms: number; seek: ((ms: number) => void) | null }) {
  const text = duration(ms);
  if (!seek) return <span className="figures pt-0.5 text-soft text-xs">{text}</span>;
  return (
    <button
      type="button"
      aria-label={`Play from ${text}`}
      onClick={() => seek(ms)}
      className="figures self-start rounded pt-0.5 text-left text-royal-ink text-xs underline-offset-2 hover:underline"
    >
      {text}
    </button>
  );
}

function Said({ turn }: { turn: Turn }) {
  if (!turn.text) return <p className="text-soft text-sm italic">Nothing of it was heard.</p>;
  return (
    <p
      className={cn(
        "whitespace-pre-wrap break-words text-[0.9375rem] leading-relaxed",
        turn.status === "deleted" && "line-through opacity-70",
      )}
    >
      {turn.text}
    </p>
  );
}

function ToolCall({ turn }: { turn: Turn }) {
  return (
    <div className="flex min-w-0 flex-col gap-1 font-mono text-[0.8125rem]">
      <p className="flex items-start gap-2 break-all">
        <Wrench aria-hidden className="mt-0.5 size-3.5 shrink-0 text-soft" />
        {turn.tool_name}({turn.tool_arguments})
      </p>
      {turn.tool_output ? (
        <pre className="overflow-x-auto whitespace-pre-wrap break-all rounded-lg bg-sunken px-3 py-2 text-xs">
          {turn.tool_output}
        </pre>
      ) : null}
    </div>
  );
}

function Sources({ turn }: { turn: Turn }) {
  return (
    <p className="flex flex-wrap gap-1.5">
      {turn.sources?.map(({ passage_id, title, score }) => (
        <Badge key={passage_id} className="figures">
          <BookMarked aria-hidden className="size-3" /> {title} · {score.toFixed(2)}
        </Badge>
      ))}
    </p>
  );
}

function Time({ measured, widthMs }: { measured: Measured; widthMs: number }) {
  const wait = measured.stages.first_audio;
  return (
    <details className="group max-w-xl">
      <summary className="figures flex w-fit list-none items-center gap-1 rounded text-soft text-xs hover:text-ink">
        <ChevronDown aria-hidden className="size-3.5 transition-transform group-open:rotate-180" />
        {wait === undefined ? "never heard" : `heard after ${milliseconds(wait)}`}
      </summary>
      <div className="pt-2">
        <Waterfall measured={measured} widthMs={widthMs} />
      </div>
    </details>
  );
}

function measuredOf({ response_id, stages }: Turn): Measured | null {
  if (!response_id || !stages || Object.keys(stages).length === 0) return null;
  return { responseId: response_id, stages, prepared: "pause" in stages };
}
