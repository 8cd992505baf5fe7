import type { Transport } from "./link";
import type { Logged } from "./log";
import type { Measured } from "./timing";
import { type Entry, nothingSaid, type Transcript } from "./transcript";

type Phase = "idle" | "connecting" | "live" | "returning" | "ended";

/** Something that happened to the call, for who is in it. */
export interface CallNotice {
  id: number;
  kind: "info" | "good" | "warn" | "bad";
  title: string;
  text: string;
}

/** All that is shown of a call. */
export interface CallState {
  phase: Phase;
  /** What is sent comes through. While it does not, that may pass by itself. */
  steady: boolean;
  transport: Transport | null;
  sessionId: string | null;
  beganAt: number | null;
  endedAt: number | null;
  transcript: Transcript;
  /** What was said in a session that was lost, before the one that goes on. */
  earlier: readonly Entry[];
  measured: readonly Measured[];
  log: readonly Logged[];
  notices: readonly CallNotice[];
  /** `asking`: the browser asks whether it may be used. */
  microphone: "off" | "asking" | "on" | "muted";
  /** Push-to-talk is in force: turns end when the caller says so. */
  manual: boolean;
  /** In push-to-talk: the button is held. */
  pressed: boolean;
}

export const noCall: CallState = {
  phase: "idle",
  steady: true,
  transport: null,
  sessionId: null,
  beganAt: null,
  endedAt: null,
  transcript: nothingSaid,
  earlier: [],
  measured: [],
  log: [],
  notices: [],
  microphone: "off",
  manual: false,
  pressed: false,
};

/** Whether events can be sent now. */
export function isOpen({ phase }: CallState): boolean {
  return phase === "live";
}

/** Whether a call is under way, connected or not. */
export function isUnderWay({ phase }: CallState): boolean {
  return phase === "connecting" || phase === "live" || phase === "returning";
}
