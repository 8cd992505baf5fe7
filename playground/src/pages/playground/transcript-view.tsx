import { BookMarked, Ear, Timer, TriangleAlert, Wrench } from "lucide-react";
import { useEffect, useRef } from "react";
import { milliseconds } from "@/parts/figures";
import type { CallState } from "@/realtime/call-state";
import { waited } from "@/realtime/timing";
import type { Entry } from "@/realtime/transcript";
import { Badge } from "@/ui/badge";
import { cn } from "@/ui/cn";

const NEAR_PX = 80;

/** What was said: what was heard stands, what was cut is struck through. */
export function TranscriptView({ state }: { state: CallState }) {
  const { transcript, earlier, measured } = state;
  const list = useFollowed();
  const waits = new Map(measured.map((one) => [one.responseId, waited(one)]));
  return (
    <div
      ref={list}
      tabIndex={0}
      role="log"
      aria-live="off" // word by word nobody could follow, and what is spoken is heard anyway
      aria-label="Transcript"
      className="min-h-0 flex-1 overflow-y-auto px-4 pt-5 pb-3 [mask-image:linear-gradient(transparent,black_1.25rem)] sm:px-6"
    >
      <div className="mx-auto flex max-w-2xl flex-col gap-3 pb-1">
        {earlier.map((entry) => (
          <Line key={entry.id} entry={entry} waitMs={null} past />
        ))}
        {earlier.length ? <Divider /> : null}
        {transcript.order.map((id) => {
          const entry = transcript.entries[id];
          if (!entry) return null;
          return <Line key={id} entry={entry} waitMs={waits.get(entry.responseId ?? "") ?? null} />;
        })}
        <p aria-live="polite" className="sr-only">
          {lastWritten(state)}
        </p>
      </div>
    </div>
  );
}

/** The last answer that was written and not spoken, once it is whole. */
function lastWritten({ transcript }: CallState): string {
  const id = transcript.order.findLast((one) => {
    const entry = transcript.entries[one];
    return entry?.role === "assistant" && entry.kind === "message";
  });
  const entry = id ? transcript.entries[id] : undefined;
  return entry && !entry.spoken && entry.status === "done" ? entry.text : "";
}

/** A box that stays at its end while it grows or shrinks, unless somebody has scrolled back. */
function useFollowed() {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const box = list.current;
    const content = box?.firstElementChild;
    if (!box || !content) return;
    let [follows, top] = [true, 0];
    const scrolled = () => {
      const left = box.scrollHeight - box.scrollTop - box.clientHeight;
      if (left < NEAR_PX) follows = true;
      else if (box.scrollTop < top) follows = false;
      top = box.scrollTop;
    };
    const sized = new ResizeObserver(() => {
      if (follows) box.scrollTo({ top: box.scrollHeight });
    });
    sized.observe(box);
    sized.observe(content);
    box.addEventListener("scroll", scrolled);
    return () => {
      sized.disconnect();
      box.removeEventListener("scroll", scrolled);
    };
  }, []);
  return list;
}

function Divider() {
  return (
    <p className="flex items-center gap-3 py-1 text-soft text-xs before:h-px before:flex-1 before:bg-edge-strong after:h-px after:flex-1 after:bg-edge-strong">
      a new session began
    </p>
  );
}

interface LineProps {
  entry: Entry;
  waitMs: number | null;
  past?: boolean;
}

export function Line({ entry, waitMs, past = false }: LineProps) {
  if (entry.kind === "output") return null; // it stands with its call
  if (entry.kind !== "message") return <CallLine entry={entry} past={past} />;
  const caller = entry.role === "user";
  if (entry.status === "done" && !entry.text && !entry.unheard) return null;
  return (
    <article
      className={cn(
        "flex max-w-[88%] animate-rise flex-col gap-1.5",
        caller ? "items-end self-end" : "items-start self-start",
        past && "opacity-60",
      )}
    >
      <span className="sr-only">
        {caller ? "You" : entry.role === "system" ? "System" : "Agent"}:
      </span>
      <p
        className={cn(
          "whitespace-pre-wrap break-words rounded-2xl px-4 py-2.5 text-[0.9375rem] leading-relaxed",
          caller ? "rounded-br-md bg-caller-tint" : "glass rounded-bl-md",
          entry.status === "deleted" && "line-through opacity-60",
        )}
      >
        {entry.text || (entry.status === "live" ? <Listening /> : null)}
        {entry.unheard ? (
          <del className="text-soft decoration-1 decoration-bad" title="Made, but never heard">
            {entry.unheard}
          </del>
        ) : null}
        {entry.status === "live" && entry.text ? (
          <span
            aria-hidden
            className="ml-1 inline-block h-4 w-0.5 animate-breathe rounded bg-current align-text-bottom"
          />
        ) : null}
      </p>
      <Marks entry={entry} waitMs={waitMs} />
    </article>
  );
}

function Listening() {
  return (
    <span className="flex items-center gap-1 py-1" role="img" aria-label="listening">
      {[0, 1, 2].map((dot) => (
        <span
          key={dot}
          className="size-1.5 animate-breathe rounded-full bg-current"
          style={{ animationDelay: `${dot * 160}ms` }}
        />
      ))}
    </span>
  );
}

function Marks({ entry, waitMs }: { entry: Entry; waitMs: number | null }) {
  const agent = entry.role === "assistant";
  return (
    <div className="flex flex-wrap items-center gap-1.5 empty:hidden">
      {agent && waitMs !== null ? (
        <Badge className="figures">
          <Timer aria-hidden className="size-3" /> {milliseconds(waitMs)}
        </Badge>
      ) : null}
      {agent && entry.status === "cut" ? (
        <Badge tone="warn" className="figures">
          <Ear aria-hidden className="size-3" />
          {entry.heardMs === null ? "cut short" : `cut: heard for ${milliseconds(entry.heardMs)}`}
        </Badge>
      ) : null}
      {entry.sources.map((title) => (
        <Badge key={title} tone="royal">
          <BookMarked aria-hidden className="size-3" /> {title}
        </Badge>
      ))}
      {entry.note ? (
        <Badge tone="bad" className="whitespace-normal">
          <TriangleAlert aria-hidden className="size-3 shrink-0" /> {entry.note}
        </Badge>
      ) : null}
    </div>
  );
}

function CallLine({ entry, past }: { entry: Entry; past: boolean }) {
  return (
    <p
      className={cn(
        "flex min-w-0 items-center gap-2 self-start text-soft text-sm",
        past && "opacity-60",
      )}
    >
      <Wrench aria-hidden className="size-3.5 shrink-0" />
      <code className="truncate">
        {entry.call?.name}({entry.call?.arguments})
      </code>
      {entry.kind === "own_call" && entry.text ? (
        <code className="truncate text-ink">→ {entry.text}</code>
      ) : null}
    </p>
  );
}
