import type { Item, ServerEvent } from "./events";

/**
 * The conversation as both sides know it: a pure function of the server's events.
 *
 * Items stand in the server's order (`previous_item_id`), whatever the order in which it told of
 * them. What the agent said is kept in two: `text`, which was heard and stands in the history, and
 * `unheard`, which was made and cut.
 */
export interface Entry {
  id: string;
  kind: "message" | "call" | "output" | "own_call";
  role: "user" | "assistant" | "system";
  /** `live` until nothing more is expected. */
  status: "live" | "done" | "cut" | "failed" | "deleted";
  text: string;
  unheard: string;
  spoken: boolean;
  /** Milliseconds of it that were played, if it was cut and the server said so. */
  heardMs: number | null;
  responseId: string | null;
  call: { id: string; name: string; arguments: string } | null;
  sources: readonly string[];
  note: string | null;
}

export interface Transcript {
  order: readonly string[];
  entries: Readonly<Record<string, Entry>>;
  /** Who speaks, or is about to, as far as the server has said. */
  floor: "nobody" | "caller" | "thinking" | "agent";
  response: string | null;
  sources: Readonly<Record<string, readonly string[]>>;
}

export const nothingSaid: Transcript = {
  order: [],
  entries: {},
  floor: "nobody",
  response: null,
  sources: {},
};

const fresh: Omit<Entry, "id"> = {
  kind: "message",
  role: "user",
  status: "live",
  text: "",
  unheard: "",
  spoken: true,
  heardMs: null,
  responseId: null,
  call: null,
  sources: [],
  note: null,
};

/** The conversation after one more event. */
export function told(now: Transcript, event: ServerEvent): Transcript {
  switch (event.type) {
    case "input_audio_buffer.speech_started":
      return { ...changed(now, event.item_id, {}), floor: "caller" };
    case "input_audio_buffer.speech_stopped":
      return { ...now, floor: "thinking" };
    case "input_audio_buffer.committed":
      return placed(changed(now, event.item_id, {}), event.item_id, event.previous_item_id);
    case "conversation.item.input_audio_transcription.delta":
      return extended(now, event.item_id, event.delta, { role: "user" });
    case "conversation.item.input_audio_transcription.completed":
      return changed(now, event.item_id, { text: event.transcript.trim(), status: "done" });
    case "conversation.item.input_audio_transcription.failed":
      return changed(now, event.item_id, { status: "failed", note: event.error.message });
    case "conversation.item.added":
    case "conversation.item.done":
      return placed(shown(now, event.item, null), event.item.id, event.previous_item_id);
    case "conversation.item.retrieved":
      return heardAs(now, event.item);
    case "conversation.item.deleted":
      return changed(now, event.item_id, { status: "deleted" });
    case "conversation.item.truncated":
      return changed(now, event.item_id, { status: "cut", heardMs: event.audio_end_ms });
    case "response.created":
      return {
        ...now,
        response: event.response.id,
        floor: now.floor === "caller" ? "caller" : "thinking",
      };
    case "response.done":
      return responded(now, event.response);
    case "response.output_item.added":
    case "response.output_item.done":
      return shown(now, event.item, event.response_id);
    case "response.output_text.delta":
      return extended(now, event.item_id, event.delta, answer(event.response_id, false));
    case "response.output_audio_transcript.delta":
      return extended(now, event.item_id, event.delta, answer(event.response_id, true));
    case "response.output_text.done":
      return settled(now, event.item_id, event.text);
    case "response.output_audio_transcript.done":
      return settled(now, event.item_id, event.transcript);
    case "response.function_call_arguments.delta":
      return dictated(now, event.item_id, event.response_id, event.delta);
    case "output_audio_buffer.started":
      return { ...now, floor: "agent" };
    case "output_audio_buffer.stopped":
    case "output_audio_buffer.cleared":
      return silent(now);
    case "voiceforge.knowledge.cited": {
      const titles = [...new Set(event.passages.map(({ title }) => title))];
      return { ...now, sources: { ...now.sources, [event.response_id]: titles } };
    }
    default:
      return now;
  }
}

/** The agent is heard here, or is not any more: over a WebSocket only the player knows. */
export function playing(now: Transcript, audible: boolean): Transcript {
  return audible ? { ...now, floor: "agent" } : silent(now);
}

/** The client is gone, or on its way back: of what was being said nothing more will be told. */
export function left(now: Transcript): Transcript {
  const begun = now.order.filter((id) => now.entries[id]?.status === "live");
  const silent = begun.filter((id) => !now.entries[id]?.text);
  const over: Transcript = {
    ...now,
    order: now.order.filter((id) => !silent.includes(id)),
    floor: "nobody",
    response: null,
  };
  return begun
    .filter((id) => !silent.includes(id))
    .reduce((sum, id) => changed(sum, id, { status: "cut" }), over);
}

/** What the agent asked of the client and has had no answer to, in order. */
export function pendingCalls(now: Transcript): Entry[] {
  const entries = now.order.flatMap((id) => now.entries[id] ?? []);
  const answered = new Set(entries.flatMap((one) => (one.kind === "output" ? one.call?.id : [])));
  return entries.filter(
    (one) => one.kind === "call" && one.status === "done" && !answered.has(one.call?.id),
  );
}

function silent(now: Transcript): Transcript {
  if (now.floor !== "agent") return now;
  return { ...now, floor: now.response === null ? "nobody" : "thinking" };
}

function answer(responseId: string, spoken: boolean): Partial<Entry> {
  return { role: "assistant", responseId, spoken };
}

function changed(now: Transcript, id: string, change: Partial<Entry>): Transcript {
  const old = now.entries[id];
  const entry: Entry = { ...fresh, ...old, ...change, id };
  const entries = { ...now.entries, [id]: entry };
  return { ...now, entries, order: old ? now.order : [...now.order, id] };
}

function extended(now: Transcript, id: string, delta: string, change: Partial<Entry>): Transcript {
  const old = now.entries[id];
  if (old && old.status !== "live") return now; // its whole text is known: this one is late
  return changed(now, id, { ...change, text: (old?.text ?? "") + delta });
}

function dictated(now: Transcript, id: string, responseId: string, delta: string): Transcript {
  const old = now.entries[id];
  if (old && old.status !== "live") return now;
  const call = old?.call ?? { id: "", name: "", arguments: "" };
  return changed(now, id, {
    kind: "call",
    role: "assistant",
    responseId,
    call: { ...call, arguments: call.arguments + delta },
  });
}

/** The whole text of an answer: of one that was cut, as far as it was heard. */
function settled(now: Transcript, id: string, text: string): Transcript {
  const made = now.entries[id]?.text ?? "";
  return changed(now, id, { role: "assistant", text, unheard: beyond(made, text) });
}

function heardAs(now: Transcript, item: Item): Transcript {
  const old = now.entries[item.id];
  if (!old) return now;
  const text = textOf(item);
  return changed(now, item.id, { text, unheard: beyond(old.text + old.unheard, text) });
}

/** What was made beyond what was heard; all of it, where the two do not begin alike. */
export function beyond(made: string, heard: string): string {
  if (made.length <= heard.length) return "";
  return made.startsWith(heard) ? made.slice(heard.length) : made;
}

function responded(
  now: Transcript,
  response: {
    id: string;
    status: string;
    status_details?:
      | {
          reason?: string | null | undefined;
          error?: { message?: string | null | undefined } | null | undefined;
        }
      | null
      | undefined;
  },
): Transcript {
  const over = now.response === response.id ? { ...now, response: null } : now;
  const quiet =
    over.floor === "thinking" && over.response === null
      ? { ...over, floor: "nobody" as const }
      : over;
  if (response.status === "completed") return quiet;
  const note = response.status_details?.error?.message ?? null;
  const status = response.status === "failed" ? "failed" : "cut";
  const cut = quiet.order.filter((id) => quiet.entries[id]?.responseId === response.id);
  return cut.reduce((sum, id) => changed(sum, id, { status, ...(note ? { note } : {}) }), quiet);
}

const STATUSES: Record<string, Entry["status"]> = {
  in_progress: "live",
  completed: "done",
  incomplete: "cut",
};

const KINDS: Record<string, Entry["kind"]> = {
  function_call: "call",
  function_call_output: "output",
  mcp_call: "own_call",
};

/** An item as the server shows it, or its beginning. */
function shown(now: Transcript, item: Item, responseId: string | null): Transcript {
  const old = now.entries[item.id];
  const kind = KINDS[item.type] ?? "message";
  const text = kind === "message" ? textOf(item) : (item.output ?? "");
  const role = roleOf(item, kind);
  const waits = role === "user" && isSpoken(item) && text === "" && !old?.text;
  const next = STATUSES[item.status ?? "completed"] ?? "done";
  const status = waits ? "live" : old && next === "live" ? old.status : next;
  const made = (old?.text ?? "") + (old?.unheard ?? "");
  const sources = responseId ? (now.sources[responseId] ?? []) : [];
  return changed(now, item.id, {
    kind,
    role,
    status,
    spoken: kind === "message" && isSpoken(item),
    ...(text !== "" || status === "cut"
      ? { text, unheard: role === "assistant" ? beyond(made, text) : "" }
      : {}),
    ...(responseId ? { responseId } : {}),
    ...(sources.length ? { sources } : {}),
    ...(kind === "message"
      ? {}
      : {
          call: {
            id: item.call_id ?? old?.call?.id ?? item.id,
            name: item.name ?? old?.call?.name ?? "",
            arguments: item.arguments || old?.call?.arguments || "",
          },
        }),
  });
}

function roleOf(item: Item, kind: Entry["kind"]): Entry["role"] {
  if (kind === "output") return "user";
  if (kind !== "message" || item.role === "assistant") return "assistant";
  return item.role === "system" ? "system" : "user";
}

function isSpoken(item: Item): boolean {
  return (item.content ?? []).some(({ type }) => type.endsWith("audio"));
}

function textOf(item: Item): string {
  return (item.content ?? []).map((part) => part.transcript ?? part.text ?? "").join("");
}

/** The item in its place, behind `previous`; null: at the head; undefined: where it is. */
function placed(now: Transcript, id: string, previous: string | null | undefined): Transcript {
  if (previous === undefined) return now;
  const others = now.order.filter((other) => other !== id);
  if (previous === null) return { ...now, order: [id, ...others] };
  const at = others.indexOf(previous);
  if (at < 0) return now; // its predecessor is not known here: it stays where it came
  return { ...now, order: [...others.slice(0, at + 1), id, ...others.slice(at + 1)] };
}
