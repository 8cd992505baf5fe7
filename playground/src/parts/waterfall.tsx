import { type Measured, type Span, spansOf, waited } from "@/realtime/timing";
import { cn } from "@/ui/cn";
import { milliseconds } from "./figures";

interface Props {
  measured: Measured;
  /** The width of the picture in ms, so that several compare. */
  widthMs?: number;
}

/** Where the time of one answer went. What was prepared before the turn was over is hatched. */
export function Waterfall({ measured, widthMs }: Props) {
  const spans = spansOf(measured);
  const width = Math.max(widthMs ?? 0, ...spans.map(({ toMs }) => toMs), 1);
  return (
    <ol className="flex flex-col gap-1.5" aria-label={summary(measured)}>
      {spans.map((span) => (
        <Row key={span.name} span={span} width={width} />
      ))}
    </ol>
  );
}

function Row({ span, width }: { span: Span; width: number }) {
  const share = (ms: number) => `${(ms / width) * 100}%`;
  const length = span.toMs - span.fromMs;
  return (
    <li className="grid grid-cols-[7rem_1fr_3.75rem] items-center gap-2 text-xs">
      <span className="truncate text-soft">{span.name}</span>
      <span className="relative h-3 overflow-hidden rounded-full bg-sunken">
        <span
          className={cn(
            "absolute inset-y-0 origin-left animate-fade overflow-hidden rounded-full",
            span.verdict ? "bg-caller" : "bg-royal-ink",
          )}
          style={{ left: share(span.fromMs), width: share(length), minWidth: 3 }}
        >
          {span.preparedMs > 0 && length > 0 ? (
            <span
              className="hatched absolute inset-y-0 left-0"
              style={{ width: `${(span.preparedMs / length) * 100}%` }}
            />
          ) : null}
        </span>
      </span>
      <span className="figures text-right text-ink">
        {milliseconds(span.toMs)}
        {span.preparedMs > 0 ? <span className="sr-only">, prepared in the pause</span> : null}
      </span>
    </li>
  );
}

function summary(measured: Measured): string {
  const wait = waited(measured);
  const heard = wait === null ? "It was not heard" : `It was heard after ${milliseconds(wait)}`;
  return measured.prepared ? `${heard}; begun in the pause` : heard;
}

/** What the hatching means. */
export function WaterfallLegend() {
  return (
    <p className="flex flex-wrap items-center gap-x-4 gap-y-1 text-soft text-xs">
      <Key look="bg-caller" name="deciding" />
      <Key look="bg-royal-ink" name="working" />
      <Key look="bg-royal-ink hatched" name="prepared in the pause" />
    </p>
  );
}

function Key({ look, name }: { look: string; name: string }) {
  return (
    <span className="flex items-center gap-1.5">
      <span aria-hidden className={cn("h-2.5 w-5 rounded-full", look)} />
      {name}
    </span>
  );
}
