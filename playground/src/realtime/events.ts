import { z } from "zod";

/** What is said in the realtime protocol (https://platform.openai.com/docs/api-reference/realtime). */

const part = z.looseObject({
  type: z.string(),
  text: z.string().nullish(),
  transcript: z.string().nullish(),
});

const item = z.looseObject({
  id: z.string(),
  type: z.string(),
  status: z.string().nullish(),
  role: z.string().nullish(),
  content: z.array(part).nullish(),
  call_id: z.string().nullish(),
  name: z.string().nullish(),
  arguments: z.string().nullish(),
  output: z.string().nullish(),
});

const response = z.looseObject({
  id: z.string(),
  status: z.string(),
  status_details: z
    .looseObject({
      reason: z.string().nullish(),
      error: z.looseObject({ message: z.string().nullish() }).nullish(),
    })
    .nullish(),
});

const session = z.looseObject({
  id: z.string().nullish(),
  audio: z
    .looseObject({ input: z.looseObject({ turn_detection: z.unknown() }).nullish() })
    .nullish(),
  voiceforge: z
    .looseObject({ resume: z.string().nullish(), not_allowed: z.array(z.string()).nullish() })
    .nullish(),
});

const error = z.looseObject({
  code: z.string().nullish(),
  message: z.string(),
  param: z.string().nullish(),
  event_id: z.string().nullish(),
});

const ofItem = { item_id: z.string() };
const ofOutput = { item_id: z.string(), response_id: z.string() };
const ofCall = { call_id: z.string().nullish() };

const known = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("session.created"), session }),
  z.looseObject({ type: z.literal("session.updated"), session }),
  z.looseObject({ type: z.literal("error"), error }),
  z.looseObject({ type: z.literal("input_audio_buffer.speech_started"), ...ofItem }),
  z.looseObject({ type: z.literal("input_audio_buffer.speech_stopped"), ...ofItem }),
  z.looseObject({
    type: z.literal("input_audio_buffer.committed"),
    ...ofItem,
    previous_item_id: z.string().nullish(),
  }),
  z.looseObject({ type: z.literal("input_audio_buffer.cleared") }),
  z.looseObject({
    type: z.literal("conversation.item.input_audio_transcription.delta"),
    ...ofItem,
    delta: z.string(),
  }),
  z.looseObject({
    type: z.literal("conversation.item.input_audio_transcription.completed"),
    ...ofItem,
    transcript: z.string(),
  }),
  z.looseObject({
    type: z.literal("conversation.item.input_audio_transcription.failed"),
    ...ofItem,
    error,
  }),
  z.looseObject({
    type: z.enum(["conversation.item.added", "conversation.item.done"]),
    previous_item_id: z.string().nullish(),
    item,
  }),
  z.looseObject({ type: z.literal("conversation.item.retrieved"), item }),
  z.looseObject({ type: z.literal("conversation.item.deleted"), ...ofItem }),
  z.looseObject({
    type: z.literal("conversation.item.truncated"),
    ...ofItem,
    audio_end_ms: z.number(),
  }),
  z.looseObject({ type: z.enum(["response.created", "response.done"]), response }),
  z.looseObject({
    type: z.enum(["response.output_item.added", "response.output_item.done"]),
    response_id: z.string(),
    item,
  }),
  z.looseObject({
    type: z.enum(["response.output_text.delta", "response.output_audio_transcript.delta"]),
    ...ofOutput,
    delta: z.string(),
  }),
  z.looseObject({ type: z.literal("response.output_text.done"), ...ofOutput, text: z.string() }),
  z.looseObject({
    type: z.literal("response.output_audio_transcript.done"),
    ...ofOutput,
    transcript: z.string(),
  }),
  z.looseObject({
    type: z.literal("response.output_audio.delta"),
    ...ofOutput,
    delta: z.string(),
  }),
  z.looseObject({ type: z.literal("response.output_audio.done"), ...ofOutput }),
  z.looseObject({
    type: z.literal("response.function_call_arguments.delta"),
    ...ofOutput,
    ...ofCall,
    delta: z.string(),
  }),
  z.looseObject({
    type: z.literal("response.function_call_arguments.done"),
    ...ofOutput,
    ...ofCall,
    name: z.string().nullish(),
    arguments: z.string(),
  }),
  z.looseObject({
    type: z.enum([
      "output_audio_buffer.started",
      "output_audio_buffer.stopped",
      "output_audio_buffer.cleared",
    ]),
    response_id: z.string().nullish(),
  }),
  z.looseObject({
    type: z.literal("voiceforge.turn.measured"),
    response_id: z.string(),
    stages: z.record(z.string(), z.number()),
    prepared: z.boolean(),
  }),
  z.looseObject({
    type: z.literal("voiceforge.knowledge.cited"),
    response_id: z.string(),
    passages: z.array(
      z.looseObject({ document_id: z.string(), title: z.string(), score: z.number() }),
    ),
  }),
  z.looseObject({
    type: z.literal("voiceforge.session.ended"),
    reason: z.string(),
    message: z.string(),
  }),
]);

/** A server event that this app acts on. */
export type ServerEvent = z.infer<typeof known>;

export type Item = z.infer<typeof item>;

/** Any event as it came; `type` is all that is sure. */
export type AnyEvent = { type: string; [field: string]: unknown };

const any = z.looseObject({ type: z.string() });

/** The event in a message. Throws `SyntaxError` or `ZodError` for what is none. */
export function eventIn(message: string): AnyEvent {
  return any.parse(JSON.parse(message));
}

/** The same event with its fields known, or null: of a later server, or not for us. */
export function understood(event: AnyEvent): ServerEvent | null {
  const parsed = known.safeParse(event);
  return parsed.success ? parsed.data : null;
}
