import { z } from "zod";
import type { AnyEvent } from "./events";

const tool = z.object({
  type: z.literal("function"),
  name: z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, "a name has 1 to 64 letters, digits, _ . or -"),
  description: z.string().default(""),
  parameters: z.record(z.string(), z.unknown()).default({ type: "object", properties: {} }),
});

/** A function that the agent may call and that is answered here, by hand. */
export type Tool = z.infer<typeof tool>;

const tools = z.array(tool);

/** What a call begins with. */
export const setup = z.object({
  agent: z.string().nullable().default(null),
  instructions: z
    .string()
    .default("You are a friendly assistant. Answer in one or two short sentences."),
  greeting: z.string().default(""),
  model: z.string().default("gpt-realtime"),
  transcriber: z.string().default("whisper-1"),
  voice: z.string().default("joe"),
  transport: z.enum(["webrtc", "websocket"]).default("webrtc"),
  turns: z.enum(["semantic_vad", "server_vad", "push"]).default("semantic_vad"),
  answers: z.enum(["audio", "text"]).default("audio"),
  record: z.boolean().default(false),
  tools: tools.default([]),
  microphone: z.string().nullable().default(null),
  loudspeaker: z.string().nullable().default(null),
});

export type Setup = z.infer<typeof setup>;

/** The tools in a JSON text. Throws an `Error` that says what is wrong and where. */
export function toolsIn(text: string): Tool[] {
  if (text.trim() === "") return [];
  const parsed = tools.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Error(
    `${issue?.path.join(".") || "The text"}: ${issue?.message ?? "is no list of tools"}`,
  );
}

/**
 * The session as the protocol has it. Where an agent answers, only what is the client's own affair:
 * an agent's instructions, voice and tools are its own.
 */
export function sessionOf(setup: Setup): AnyEvent {
  const detection = setup.turns === "push" ? null : { type: setup.turns };
  const transcription = { model: setup.transcriber };
  const mine = {
    type: "realtime",
    output_modalities: [setup.answers],
    audio: { input: { transcription, turn_detection: detection } },
  };
  if (setup.agent) {
    const listens =
      setup.turns === "push" ? { transcription, turn_detection: null } : { transcription };
    return { ...mine, audio: { input: listens } };
  }
  return {
    ...mine,
    instructions: setup.instructions,
    audio: { ...mine.audio, output: { voice: setup.voice } },
    tools: setup.tools,
    voiceforge: {
      record: setup.record,
      greeting: setup.greeting.trim() ? { text: setup.greeting.trim() } : null,
    },
  };
}

const PLACE = "voiceforge.playground";

/** The setup of last time, or what everybody begins with. */
export function remembered(): Setup {
  try {
    return setup.parse(JSON.parse(localStorage.getItem(PLACE) ?? "{}"));
  } catch {
    return setup.parse({}); // an older version's, which means nothing now
  }
}

/** Keep it for the next time, in this browser. */
export function remember(now: Setup): void {
  localStorage.setItem(PLACE, JSON.stringify(now));
}

/** Keep it no longer; what everybody begins with. */
export function forgotten(): Setup {
  localStorage.removeItem(PLACE);
  return setup.parse({});
}
