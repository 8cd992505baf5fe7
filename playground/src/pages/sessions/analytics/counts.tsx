import { amount } from "@/parts/quantities";
import { Card, CardBody, CardHeader, CardTitle } from "@/ui/card";
import { ranked } from "./went";

/** The API's own words for what happened, in words. */
const MEANINGS: Record<string, string> = {
  no_capacity: "The machine was full",
  full: "As many sessions as the settings allow",
  session_limit: "As many sessions as the key may have",
  insufficient_quota: "The month was used up",
  unanswered: "The server was too busy to answer",
};

interface Props {
  title: string;
  none: string;
  counts: Readonly<Record<string, number>> | undefined;
}

/** What went wrong, and how often. */
export function Counts({ title, none, counts }: Props) {
  const rows = ranked(counts);
  return (
    <Card aria-label={title}>
      <CardHeader>
        <CardTitle>{title}</CardTitle>
      </CardHeader>
      <CardBody>
        {rows.length === 0 ? <p className="text-soft text-sm">{none}</p> : null}
        <ul className="flex flex-col gap-2 text-sm">
          {rows.map(([code, times]) => (
            <li key={code} className="flex items-baseline justify-between gap-4">
              <span>
                {MEANINGS[code] ?? <code className="font-mono text-[0.8125rem]">{code}</code>}
              </span>
              <span className="figures font-medium">{amount(times)}</span>
            </li>
          ))}
        </ul>
      </CardBody>
    </Card>
  );
}
