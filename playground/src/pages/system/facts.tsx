import type { ReactNode } from "react";
import { Badge, type Tone } from "@/ui/badge";

interface HeadProps {
  name: string;
  under?: ReactNode;
  state: string;
  tone: Tone;
}

/** What a card is of, and how it is. */
export function Head({ name, under, state, tone }: HeadProps) {
  return (
    <div className="flex items-start justify-between gap-3">
      <div className="flex min-w-0 flex-col gap-0.5">
        <h3 className="font-semibold">{name}</h3>
        {under ? <p className="truncate font-mono text-soft text-xs">{under}</p> : null}
      </div>
      <Badge tone={tone}>{state}</Badge>
    </div>
  );
}

/** Names and values, in two columns. */
export function Facts({ facts }: { facts: readonly (readonly [string, string])[] }) {
  return (
    <dl className="figures grid grid-cols-[1fr_auto] gap-x-4 gap-y-1 text-sm">
      {facts.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-soft">{name}</dt>
          <dd className="text-right">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
