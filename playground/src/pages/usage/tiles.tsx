import { ArrowDownRight, ArrowUpRight } from "lucide-react";
import type { Used } from "@/api/usage";
import { percent } from "@/parts/quantities";
import { cn } from "@/ui/cn";
import { Skeleton } from "@/ui/skeleton";
import { changed } from "./by-day";
import { MEASURES, type Measure } from "./measures";

interface Props {
  used: Used | undefined;
  dropped: Used | undefined;
  /** What was used in as many days before. */
  before: Used | undefined;
  days: number;
  chosen: Measure;
  choose: (measure: Measure) => void;
}

/** The sums, one of which is drawn below. */
export function Tiles({ used, dropped, before, days, chosen, choose }: Props) {
  return (
    <div className="grid grid-cols-2 gap-3 md:grid-cols-3 xl:grid-cols-6">
      {MEASURES.map(({ measure, name, what, inFull }) => (
        <button
          key={measure}
          type="button"
          aria-pressed={measure === chosen}
          title={`${name}: ${what}`}
          onClick={() => choose(measure)}
          className={cn(
            "glass flex flex-col gap-1 rounded-card p-4 text-left transition-[border-color,transform] duration-150 hover:border-edge-strong active:scale-[0.98]",
            measure === chosen && "border-royal-ink hover:border-royal-ink",
          )}
        >
          <span className="text-soft text-xs">{name}</span>
          {used ? (
            <span className="figures whitespace-nowrap font-display font-semibold text-lg">
              {inFull(used[measure])}
            </span>
          ) : (
            <Skeleton className="h-7 w-20" />
          )}
          <span className="figures flex min-h-4 flex-col text-soft text-xs">
            {used && before ? (
              <Change change={changed(used[measure], before[measure])} days={days} />
            ) : null}
            {dropped && dropped[measure] > 0 ? (
              <span>{inFull(dropped[measure])} dropped</span>
            ) : null}
          </span>
        </button>
      ))}
    </div>
  );
}

function Change({ change, days }: { change: number | null; days: number }) {
  if (change === null) return null;
  const Arrow = change < 0 ? ArrowDownRight : ArrowUpRight;
  const by = percent(Math.abs(change));
  if (by === "0 %") return <span>as much as before</span>;
  return (
    <span className="flex items-center gap-1">
      <Arrow aria-hidden className="size-3.5 text-royal-ink" />
      <span>
        {by} {change < 0 ? "less" : "more"}
        <span className="sr-only"> than in the {days} days before</span>
      </span>
    </span>
  );
}
