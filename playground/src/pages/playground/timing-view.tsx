import { Download, FileJson, Gauge, History } from "lucide-react";
import { Link } from "wouter";
import { milliseconds } from "@/parts/figures";
import { save } from "@/parts/save";
import { Waterfall, WaterfallLegend } from "@/parts/waterfall";
import type { CallState } from "@/realtime/call-state";
import { timelineOf } from "@/realtime/timeline";
import { spansOf, summaryOf, waited } from "@/realtime/timing";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Empty } from "@/ui/empty";
import { toast } from "@/ui/toast";
import { call, setup } from "./current-call";

/** Each answer's waterfall, the newest first, and what callers wait on the whole. */
export function TimingView({ state }: { state: CallState }) {
  const { measured } = state;
  const widthMs = Math.max(0, ...measured.flatMap(spansOf).map(({ toMs }) => toMs));
  return (
    <div className="flex flex-col gap-4">
      <Totals state={state} />
      {measured.length === 0 ? (
        <Empty icon={Gauge} title="No answer yet">
          Each answer is drawn here as the server measured it: from the last sound of your voice to
          the first of the agent’s.
        </Empty>
      ) : (
        <>
          <div className="flex flex-col gap-1.5">
            <p className="text-soft text-xs">Counted from the end of what you said.</p>
            <WaterfallLegend />
          </div>
          <ol className="flex flex-col gap-3">
            {[...measured].reverse().map((one, index) => (
              <li
                key={one.responseId}
                className="flex flex-col gap-2.5 rounded-2xl bg-sunken p-3.5"
              >
                <div className="flex items-center justify-between gap-2">
                  <h3 className="font-medium text-[0.8125rem]">Answer {measured.length - index}</h3>
                  <span className="flex items-center gap-2">
                    {one.prepared ? <Badge tone="royal">prepared</Badge> : null}
                    <span className="figures font-semibold text-sm">
                      {milliseconds(waited(one) ?? 0)}
                    </span>
                  </span>
                </div>
                <Waterfall measured={one} widthMs={widthMs} />
              </li>
            ))}
          </ol>
        </>
      )}
    </div>
  );
}

function Totals({ state }: { state: CallState }) {
  const { answers, p50Ms, p95Ms } = summaryOf(state.measured);
  return (
    <div className="flex flex-col gap-3">
      <dl className="grid grid-cols-3 gap-2">
        <Figure name="p50" value={p50Ms === null ? "–" : milliseconds(p50Ms)} />
        <Figure name="p95" value={p95Ms === null ? "–" : milliseconds(p95Ms)} />
        <Figure name="Answers" value={String(answers)} />
      </dl>
      {state.beganAt === null ? null : <Downloads state={state} />}
    </div>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div className="flex flex-col gap-0.5 rounded-2xl bg-royal-tint px-3.5 py-2.5">
      <dt className="text-soft text-xs">{name}</dt>
      <dd className="figures font-display font-semibold text-lg leading-tight">{value}</dd>
    </div>
  );
}

function Downloads({ state }: { state: CallState }) {
  const name = state.sessionId ?? "call";
  const recording = async () => {
    const sound = await call.recording();
    if (sound?.size) save(`${name}.${sound.type.includes("mp4") ? "m4a" : "webm"}`, sound);
    else toast("No recording", "This browser cannot record, or nothing has been said.", "bad");
  };
  return (
    <div className="grid grid-cols-2 gap-2">
      <Button size="sm" onClick={() => void recording()}>
        <Download aria-hidden /> Recording
      </Button>
      <Button size="sm" onClick={() => save(`${name}.json`, timelineOf(state, setup.get()))}>
        <FileJson aria-hidden /> Timeline
      </Button>
      {state.phase === "ended" && state.sessionId ? (
        <Button asChild size="sm" className="col-span-2">
          <Link href={`/sessions/${encodeURIComponent(state.sessionId)}`}>
            <History aria-hidden /> What the server kept
          </Link>
        </Button>
      ) : null}
    </div>
  );
}
