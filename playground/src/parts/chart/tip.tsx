import type { Row, Series } from "./data";
import { Swatch } from "./legend";

interface Props {
  row: Row | undefined;
  series: readonly Series[];
  place: (x: Row["x"]) => string;
  value: (value: number) => string;
}

/** The values at the place that is pointed at, or was reached by keys: then they are said, too. */
export function Tip({ row, series, place, value }: Props) {
  if (!row) return null;
  const known = series.flatMap((one, index) => {
    const amount = row.values[index];
    return amount == null || (amount === 0 && series.length > 2) ? [] : [{ ...one, amount }];
  });
  return (
    <div
      role="status"
      className="flex min-w-36 flex-col gap-1.5 rounded-field border border-edge-strong bg-solid px-3 py-2.5 text-xs shadow-float backdrop-blur-xl"
    >
      <p className="font-medium text-ink">{place(row.x)}</p>
      {known.length === 0 ? <p className="text-soft">Nothing</p> : null}
      {known.map(({ name, color, hatched, amount }) => (
        <p key={name} className="flex items-center gap-2 text-soft">
          <Swatch color={color} hatched={hatched ?? false} />
          <span className="max-w-48 truncate">{name}</span>
          <span className="figures ml-auto pl-3 font-medium text-ink">{value(amount)}</span>
        </p>
      ))}
    </div>
  );
}
