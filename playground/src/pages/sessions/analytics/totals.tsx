import type { Summary } from "@/api/analytics";
import { milliseconds } from "@/parts/figures";
import { amount, percent, time } from "@/parts/quantities";
import { Card } from "@/ui/card";
import { ofAnswers } from "./went";

/** The sums of all days. */
export function Totals({ total }: { total: Summary }) {
  const { sessions, minutes, responses, interruptions, cut_turns, false_pauses, latency } = total;
  const told: readonly (readonly [string, string, string])[] = [
    ["Sessions", amount(sessions), `${time(minutes * 60)} in all`],
    ["Answers", amount(responses), "that the agent gave"],
    [
      "Typical wait",
      latency ? milliseconds(latency.p50_ms) : "–",
      latency ? `95 in 100 within ${milliseconds(latency.p95_ms)}` : "nobody waited yet",
    ],
    ["Interrupted", percent(ofAnswers(interruptions, total)), `${amount(interruptions)} answers`],
    ["Too early", percent(ofAnswers(cut_turns, total)), "before the caller had finished"],
    ["False pauses", amount(false_pauses), "for noise or a “mhm”"],
  ];
  return (
    <Card aria-label="In all" className="p-5">
      <dl className="grid grid-cols-2 gap-x-4 gap-y-5 md:grid-cols-3 xl:grid-cols-6">
        {told.map(([name, value, about]) => (
          <div key={name} className="flex flex-col gap-0.5">
            <dt className="text-soft text-xs">{name}</dt>
            <dd className="figures font-display font-semibold text-lg">{value}</dd>
            <dd className="text-soft text-xs">{about}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}
