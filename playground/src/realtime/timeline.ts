import type { CallState } from "./call-state";
import type { Setup } from "./setup";
import { spansOf, summaryOf } from "./timing";

/** All that is known of a call, as JSON to keep. */
export function timelineOf(call: CallState, setup: Setup): string {
  const { transcript } = call;
  const timeline = {
    session_id: call.sessionId,
    transport: call.transport,
    began_at: call.beganAt === null ? null : new Date(call.beganAt).toISOString(),
    ended_at: call.endedAt === null ? null : new Date(call.endedAt).toISOString(),
    setup,
    summary: summaryOf(call.measured),
    turns: call.measured.map((one) => ({ ...one, spans: spansOf(one) })),
    transcript: transcript.order.map((id) => transcript.entries[id]),
    events: call.log,
  };
  return JSON.stringify(timeline, null, 2);
}
