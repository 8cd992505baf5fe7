import { Hand, Mic, MicOff, PhoneOff, Square } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { duration } from "@/parts/figures";
import { Meter } from "@/parts/meter";
import { type CallState, isOpen, isUnderWay } from "@/realtime/call-state";
import { levelOf } from "@/realtime/sound";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { cn } from "@/ui/cn";
import { Tooltip } from "@/ui/tooltip";
import { useStore } from "@/use-store";
import { call, setup } from "./current-call";
import { type Mood, Orb } from "./orb";

const callerLevel = () => (call.sound ? levelOf(call.sound.caller) : 0);
const agentLevel = () => (call.sound ? levelOf(call.sound.agent) : 0);

/** Who has the floor, and what can be done about it. */
export function Stage() {
  const state = useStore(call.store);
  const underWay = isUnderWay(state);
  const mood = moodOf(state);
  const begun = underWay || state.transcript.order.length > 0;
  return (
    <div className="flex flex-col items-center gap-3 px-4 pt-2">
      <Orb
        mood={mood}
        level={mood === "agent" ? agentLevel : callerLevel}
        className={cn(
          "-my-5 aspect-square transition-[width] duration-500 ease-out",
          begun ? "w-36 sm:w-48" : "w-64 sm:w-72",
        )}
      />
      <div className="flex flex-col items-center gap-1">
        <p aria-live="polite" className="font-display font-semibold text-xl tracking-tight">
          {saying(state)}
        </p>
        <p className="figures flex h-6 items-center gap-2 text-soft text-sm">
          {underWay ? <Clock since={state.beganAt} /> : null}
          {underWay && state.transport ? (
            <Badge>{state.transport === "webrtc" ? "WebRTC" : "WebSocket"}</Badge>
          ) : null}
          {underWay ? null : "Talk, type, or both."}
        </p>
      </div>
      <Controls state={state} />
      {underWay ? (
        <div className="flex flex-wrap justify-center gap-x-6 gap-y-1">
          <Meter label="You" tone="caller" level={callerLevel} />
          <Meter label="Agent" tone="agent" level={agentLevel} />
        </div>
      ) : null}
    </div>
  );
}

function Controls({ state }: { state: CallState }) {
  if (!isUnderWay(state)) {
    return (
      <Button variant="primary" size="lg" onClick={() => void call.begin(setup.get(), true)}>
        <Mic aria-hidden /> {state.phase === "ended" ? "Talk again" : "Start talking"}
      </Button>
    );
  }
  const speaking = state.transcript.floor === "agent" || state.transcript.response !== null;
  return (
    <div className="flex items-center gap-3">
      {state.manual ? <PushToTalk state={state} /> : <MicrophoneButton state={state} />}
      <Tooltip text="Have the agent stop">
        <Button
          size="icon"
          className="size-12 rounded-full"
          aria-label="Interrupt the agent"
          disabled={!speaking || !isOpen(state)}
          onClick={() => void call.interrupt()}
        >
          <Square aria-hidden />
        </Button>
      </Tooltip>
      <Tooltip text="Hang up">
        <Button
          variant="danger"
          size="icon"
          className="size-12 rounded-full"
          aria-label="Hang up"
          onClick={() => call.end()}
        >
          <PhoneOff aria-hidden />
        </Button>
      </Tooltip>
    </div>
  );
}

function MicrophoneButton({ state }: { state: CallState }) {
  const { microphone } = state;
  const doing = {
    off: "Turn the microphone on",
    asking: "Allow the microphone, beside the address",
    on: "Mute",
    muted: "Unmute",
  }[microphone];
  const act = () =>
    microphone === "off"
      ? void call.openMicrophone(setup.get().microphone)
      : call.mute(microphone === "on");
  const Icon = microphone === "on" ? Mic : MicOff;
  return (
    <Tooltip text={doing}>
      <Button
        size="icon"
        className={cn("size-12 rounded-full", microphone !== "on" && "bg-warn-tint text-warn")}
        aria-label={doing}
        disabled={microphone === "asking"}
        onClick={act}
      >
        <Icon aria-hidden />
      </Button>
    </Tooltip>
  );
}

/** Held by the pointer, or by the space bar wherever that means nothing else. */
function PushToTalk({ state }: { state: CallState }) {
  useEffect(() => {
    const talks = (event: KeyboardEvent) => event.code === "Space" && !takesSpace(event.target);
    const down = (event: KeyboardEvent) => {
      if (!talks(event) || event.repeat) return;
      event.preventDefault();
      void call.press();
    };
    const up = (event: KeyboardEvent) => {
      if (event.code === "Space") void call.release();
    };
    const away = () => void call.release(); // the key's end goes to another window
    window.addEventListener("keydown", down);
    window.addEventListener("keyup", up);
    window.addEventListener("blur", away);
    return () => {
      window.removeEventListener("keydown", down);
      window.removeEventListener("keyup", up);
      window.removeEventListener("blur", away);
      away();
    };
  }, []);
  return (
    <Button
      data-talks
      variant="primary"
      size="lg"
      className={cn(
        "select-none touch-none rounded-full",
        state.pressed && "scale-105 ring-6 ring-royal-tint",
      )}
      aria-pressed={state.pressed}
      disabled={!isOpen(state)}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        void call.press();
      }}
      onPointerUp={() => void call.release()}
      onPointerCancel={() => void call.release()}
    >
      <Hand aria-hidden /> {state.pressed ? "Listening" : "Hold to talk"}
    </Button>
  );
}

const TAKES_SPACE =
  "input, textarea, select, [contenteditable], button, a, summary, [tabindex='0']";

/** Whether the space bar means something there, other than to talk. */
function takesSpace(target: EventTarget | null): boolean {
  if (!(target instanceof Element) || target.matches("[data-talks], main")) return false;
  return target.closest(TAKES_SPACE)?.matches("main") === false;
}

function Clock({ since }: { since: number | null }) {
  const [now, setNow] = useState(Date.now());
  const timer = useRef<ReturnType<typeof setInterval>>(undefined);
  useEffect(() => {
    timer.current = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer.current);
  }, []);
  return <span>{duration(now - (since ?? now))}</span>;
}

function moodOf({ phase, steady, transcript }: CallState): Mood {
  if (phase === "returning" || !steady) return "lost";
  if (phase === "connecting") return "thinking";
  if (phase !== "live") return "rest";
  return transcript.floor === "nobody" ? "rest" : transcript.floor;
}

function saying(state: CallState): string {
  switch (state.phase) {
    case "idle":
      return "Ready when you are";
    case "connecting":
      return state.microphone === "asking" ? "Allow the microphone" : "Connecting";
    case "returning":
      return "Coming back";
    case "ended":
      return "The call has ended";
    case "live":
      if (!state.steady) return "The line falters";
      return FLOORS[state.transcript.floor](state);
  }
}

const FLOORS: Record<CallState["transcript"]["floor"], (state: CallState) => string> = {
  nobody: ({ microphone }) => (microphone === "on" ? "Listening" : "Waiting for you"),
  caller: () => "You have the floor",
  thinking: () => "Thinking",
  agent: () => "The agent speaks",
};
