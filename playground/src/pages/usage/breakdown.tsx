import { useQuery } from "@tanstack/react-query";
import { type Kind, usage } from "@/api/usage";
import { Failed } from "@/parts/failed";
import { counted } from "@/parts/figures";
import { Card, CardBody, CardHeader, CardTitle } from "@/ui/card";
import { Skeleton } from "@/ui/skeleton";
import { type Share, sharesOf } from "./by-day";
import { type Measure, toldOf } from "./measures";
import { useNames } from "./names";

interface Props {
  kind: Kind;
  from: string;
  measure: Measure;
}

/** Who used how much of it, most first. */
export function Breakdown({ kind, from, measure }: Props) {
  const { data, error, isPending } = useQuery(usage({ from, by: [kind] }));
  const nameOf = useNames(kind);
  const shares = sharesOf(data?.data ?? [], kind, measure);
  const most = Math.max(...shares.map(({ used, dropped }) => used + dropped), 0);
  return (
    <Card aria-label={`By ${kind}`}>
      <CardHeader>
        <CardTitle>By {kind}</CardTitle>
      </CardHeader>
      <CardBody>
        {isPending ? <Skeleton className="h-28" /> : null}
        {error ? <Failed what="Not known" error={error} /> : null}
        {data && shares.length === 0 ? (
          <p className="text-soft text-sm">Nothing of this kind.</p>
        ) : null}
        <ul className="flex flex-col gap-4">
          {shares.map((share) => (
            <Line
              key={share.id}
              share={share}
              name={nameOf(share.id)}
              most={most}
              value={toldOf(measure).inFull}
            />
          ))}
        </ul>
      </CardBody>
    </Card>
  );
}

interface LineProps {
  share: Share;
  name: string;
  most: number;
  value: (value: number) => string;
}

function Line({ share: { used, dropped, sessions }, name, most, value }: LineProps) {
  const width = (part: number) => ({ width: `${(part / most) * 100}%` });
  return (
    <li className="flex flex-col gap-1.5 text-sm">
      <span className="flex justify-between gap-4">
        <span className="truncate" title={name}>
          {name}
        </span>
        <span className="figures whitespace-nowrap font-medium">{value(used)}</span>
      </span>
      <span aria-hidden className="flex h-1.5 overflow-hidden rounded-full bg-sunken">
        <span className="bg-royal-ink" style={width(used)} />
        <span className="hatched bg-royal-ink/60" style={width(dropped)} />
      </span>
      <span className="figures flex justify-between gap-4 text-soft text-xs">
        <span>{sessions ? counted(sessions, "session") : "no session"}</span>
        {dropped > 0 ? <span>and {value(dropped)} dropped</span> : null}
      </span>
    </li>
  );
}
