import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp, Braces, Search } from "lucide-react";
import { useDeferredValue, useRef, useState } from "react";
import { Copy } from "@/parts/copy";
import { type Logged, matching } from "@/realtime/log";
import { cn } from "@/ui/cn";
import { Empty } from "@/ui/empty";
import { Input } from "@/ui/field";
import { Switch } from "@/ui/switch";

const ROW_PX = 34;

/** Every event of the call. One that is chosen is shown whole, below. */
export function EventList({ log }: { log: readonly Logged[] }) {
  const [words, setWords] = useState("");
  const [all, setAll] = useState(false);
  const [chosen, setChosen] = useState<Logged | null>(null);
  const shown = matching(useDeferredValue(log), useDeferredValue(words), all);
  return (
    <>
      <div className="flex items-center gap-3 px-4 pb-3">
        <span className="relative flex-1">
          <Search
            aria-hidden
            className="absolute top-1/2 left-3 size-4 -translate-y-1/2 text-soft"
          />
          <Input
            type="search"
            aria-label="Filter events"
            placeholder="Filter by type or content"
            value={words}
            onChange={({ target }) => setWords(target.value)}
            className="h-9 pl-9"
          />
        </span>
        <label className="flex items-center gap-2 text-soft text-xs">
          <Switch checked={all} onCheckedChange={setAll} /> All
        </label>
      </div>
      {shown.length === 0 ? (
        <Empty icon={Braces} title={log.length ? "Nothing fits" : "No events yet"}>
          {log.length
            ? "No event has all of these words."
            : "Whatever goes over the line, both ways, is listed here as it was sent."}
        </Empty>
      ) : (
        <Rows events={shown} chosen={chosen} choose={setChosen} />
      )}
      {chosen ? <Whole logged={chosen} /> : null}
    </>
  );
}

interface RowsProps {
  events: readonly Logged[];
  chosen: Logged | null;
  choose: (event: Logged | null) => void;
}

function Rows({ events, chosen, choose }: RowsProps) {
  const box = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: events.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
    initialRect: { width: 320, height: 480 },
  });
  return (
    <div ref={box} className="min-h-32 flex-1 overflow-y-auto px-2">
      <div className="relative" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ index, start }) => {
          const event = events[events.length - 1 - index]; // the newest first
          if (!event) return null;
          const here = chosen?.number === event.number;
          return (
            <button
              key={event.number}
              type="button"
              aria-pressed={here}
              onClick={() => choose(here ? null : event)}
              style={{ transform: `translateY(${start}px)`, height: ROW_PX }}
              className={cn(
                "absolute inset-x-0 top-0 flex items-center gap-2.5 rounded-lg px-2 text-left font-mono text-xs hover:bg-royal-tint",
                here && "bg-royal-tint",
              )}
            >
              <Direction of={event.direction} />
              <span className="min-w-0 flex-1 truncate">{event.type}</span>
              <span className="figures shrink-0 text-soft">{(event.atMs / 1000).toFixed(2)}</span>
            </button>
          );
        })}
      </div>
    </div>
  );
}

function Direction({ of }: { of: Logged["direction"] }) {
  const sent = of === "sent";
  const Icon = sent ? ArrowUp : ArrowDown;
  return (
    <span className={cn("shrink-0", sent ? "text-caller" : "text-royal-ink")}>
      <Icon aria-hidden className="size-3.5" />
      <span className="sr-only">{of}</span>
    </span>
  );
}

function Whole({ logged }: { logged: Logged }) {
  const json = JSON.stringify(logged.event, null, 2);
  return (
    <section aria-label="Event" className="flex max-h-[45%] flex-col border-t">
      <header className="flex items-center justify-between gap-2 px-4 py-1.5">
        <h3 className="truncate font-medium font-mono text-xs">{logged.type}</h3>
        <Copy text={json} />
      </header>
      <pre
        tabIndex={0}
        className="min-h-0 overflow-auto px-4 pb-4 font-mono text-xs leading-relaxed"
      >
        {json}
      </pre>
    </section>
  );
}
