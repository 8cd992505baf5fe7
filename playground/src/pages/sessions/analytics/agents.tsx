import { useQuery } from "@tanstack/react-query";
import { analytics, type Part } from "@/api/analytics";
import { Failed } from "@/parts/failed";
import { milliseconds } from "@/parts/figures";
import { amount, percent, time } from "@/parts/quantities";
import { Card, CardBody, CardHeader, CardTitle } from "@/ui/card";
import { Skeleton } from "@/ui/skeleton";
import { ofAnswers } from "./went";

interface Props {
  from: string;
  nameOf: (part: Part) => string;
}

/** The agents side by side. */
export function Agents({ from, nameOf }: Props) {
  const { data, error } = useQuery(analytics(from, "agent"));
  const parts = data?.data.filter(({ sessions }) => sessions > 0) ?? [];
  return (
    <Card aria-label="By agent" className="min-w-0">
      <CardHeader>
        <CardTitle>By agent</CardTitle>
      </CardHeader>
      <CardBody>
        {error ? <Failed what="Not known" error={error} /> : null}
        {data || error ? null : <Skeleton className="h-28" />}
        {data ? (
          <section aria-label="Agents side by side" tabIndex={0} className="overflow-x-auto">
            <table className="figures w-full min-w-xl text-right text-sm">
              <thead className="text-soft text-xs">
                <tr className="[&>th]:pb-2 [&>th]:font-medium">
                  <th scope="col" className="text-left">
                    Agent
                  </th>
                  <th scope="col">Sessions</th>
                  <th scope="col">Time</th>
                  <th scope="col">Answers</th>
                  <th scope="col">p50</th>
                  <th scope="col">p95</th>
                  <th scope="col">Interrupted</th>
                </tr>
              </thead>
              <tbody>
                {parts
                  .sort((a, b) => b.sessions - a.sessions)
                  .map((part) => (
                    <tr key={part.agent} className="border-t [&>td]:py-2">
                      <th scope="row" className="max-w-64 truncate py-2 text-left font-medium">
                        {nameOf(part)}
                      </th>
                      <td>{amount(part.sessions)}</td>
                      <td>{time(part.minutes * 60)}</td>
                      <td>{amount(part.responses)}</td>
                      <td>{part.latency ? milliseconds(part.latency.p50_ms) : "–"}</td>
                      <td>{part.latency ? milliseconds(part.latency.p95_ms) : "–"}</td>
                      <td>{percent(ofAnswers(part.interruptions, part))}</td>
                    </tr>
                  ))}
              </tbody>
            </table>
          </section>
        ) : null}
      </CardBody>
    </Card>
  );
}
