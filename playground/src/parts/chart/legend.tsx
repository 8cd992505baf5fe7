import { cn } from "@/ui/cn";
import type { Mark, Series } from "./data";

/** What the colours mean, where there is more than one thing to tell apart. */
export function Legend({ series, marks }: { series: readonly Series[]; marks: readonly Mark[] }) {
  if (series.length + marks.length < 2) return null;
  return (
    <figcaption className="flex flex-wrap gap-x-4 gap-y-1.5 text-soft text-xs">
      {series.map(({ name, color, hatched }) => (
        <span key={name} className="flex min-w-0 items-center gap-1.5">
          <Swatch color={color} hatched={hatched ?? false} />
          <span className="truncate">{name}</span>
        </span>
      ))}
      {marks.map(({ name, color }) => (
        <span key={name} className="flex items-center gap-1.5">
          <span
            aria-hidden
            className="w-4 border-t-2 border-dashed"
            style={{ borderColor: color }}
          />
          {name}
        </span>
      ))}
    </figcaption>
  );
}

export function Swatch({ color, hatched = false }: { color: string; hatched?: boolean }) {
  return (
    <span
      aria-hidden
      className={cn("size-2.5 shrink-0 rounded-[3px]", hatched && "hatched")}
      style={{ backgroundColor: color }}
    />
  );
}
