import { useQuery } from "@tanstack/react-query";
import { Coins } from "lucide-react";
import { said } from "@/api/refusal";
import { usageOf } from "@/api/sessions";
import { Card, CardBody, CardHeader, CardTitle } from "@/ui/card";
import { Skeleton } from "@/ui/skeleton";

const count = new Intl.NumberFormat();

/** What it used, all models together; what was prepared and dropped stands apart. */
export function UsageCard({ id, beganAt }: { id: string; beganAt: string }) {
  const { data, error, isPending } = useQuery(usageOf(id, beganAt));
  return (
    <Card aria-label="Usage">
      <CardHeader>
        <CardTitle className="flex items-center gap-2">
          <Coins aria-hidden className="size-4 text-royal-ink" /> Usage
        </CardTitle>
      </CardHeader>
      <CardBody className="text-sm">
        {isPending ? <Skeleton className="h-28" /> : null}
        {error ? <p className="text-soft leading-relaxed">{said(error)}</p> : null}
        {data ? (
          <dl className="figures grid grid-cols-[1fr_auto] gap-y-1.5">
            <Line name="Heard" value={`${data.used.audio_in_s.toFixed(1)} s`} />
            <Line name="Spoken" value={`${data.used.audio_out_s.toFixed(1)} s`} />
            <Line name="Tokens read" value={count.format(data.used.input_tokens)} />
            <Line name="of these from the cache" value={count.format(data.used.cached_tokens)} />
            <Line name="Tokens written" value={count.format(data.used.output_tokens)} />
            <Line name="Compute" value={`${data.used.compute_s.toFixed(1)} s`} />
            <Line name="prepared and dropped" value={`${data.dropped.compute_s.toFixed(1)} s`} />
          </dl>
        ) : null}
      </CardBody>
    </Card>
  );
}

function Line({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt className="text-soft first-letter:uppercase">{name}</dt>
      <dd className="text-right">{value}</dd>
    </>
  );
}
