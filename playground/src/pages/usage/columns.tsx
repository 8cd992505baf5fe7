import { cn } from "@/ui/cn";
import type { Day } from "./days";

const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const short = new Intl.DateTimeFormat(undefined, {
  day: "numeric",
  month: "short",
  timeZone: "UTC",
});

interface Props {
  days: readonly Day[];
  unit: string;
  name: string;
}

/** A column a day; what was prepared and dropped is hatched, on top. */
export function Columns({ days, unit, name }: Props) {
  const most = Math.max(...days.map(({ used, dropped }) => used + dropped), 1e-9);
  const share = (value: number) => `${(value / most) * 100}%`;
  const every = Math.ceil(days.length / 8);
  return (
    <div className="flex flex-col gap-2">
      <p className="figures text-soft text-xs">
        {number.format(most > 1e-6 ? most : 0)} {unit}
      </p>
      <ol aria-label={`${name} by day`} className="flex h-48 items-end gap-1 border-b">
        {days.map(({ day, used, dropped }) => (
          <li
            key={day}
            className="group relative flex h-full min-w-0 flex-1 flex-col justify-end"
            title={`${short.format(new Date(day))}: ${number.format(used)} ${unit}${dropped ? `, and ${number.format(dropped)} dropped` : ""}`}
          >
            <span className="sr-only">
              {short.format(new Date(day))}: {number.format(used)} {unit}
            </span>
            <span
              aria-hidden
              className="hatched rounded-t-sm bg-royal-ink/50"
              style={{ height: share(dropped) }}
            />
            <span
              aria-hidden
              className={cn(
                "bg-royal-ink transition-opacity group-hover:opacity-80",
                !dropped && "rounded-t-sm",
              )}
              style={{ height: share(used) }}
            />
          </li>
        ))}
      </ol>
      <div aria-hidden className="flex gap-1">
        {days.map(({ day }, index) => (
          <span key={day} className="relative h-4 min-w-0 flex-1 text-soft text-xs">
            {index % every === 0 ? (
              <span className="absolute left-0 whitespace-nowrap">
                {short.format(new Date(day))}
              </span>
            ) : null}
          </span>
        ))}
      </div>
    </div>
  );
}
