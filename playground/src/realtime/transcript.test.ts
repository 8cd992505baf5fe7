import { expect, test } from "vitest";
import { type AnyEvent, understood } from "./events";
import { left, nothingSaid, pendingCalls, playing, type Transcript, told } from "./transcript";

function after(...events: AnyEvent[]): Transcript {
  return events.reduce((now, event) => {
    const known = understood(event);
    if (!known) throw new Error(`the test's event is none: ${JSON.stringify(event)}`);
    return told(now, known);
  }, nothingSaid);
}

const PARTIAL = "conversation.item.input_audio_transcription.delta";
const FINAL = "conversation.item.input_audio_transcription.completed";
const SAID = "response.output_audio_transcript.delta";

const answer = (id: string, text: string, status = "completed") => ({
  id,
  type: "message",
  role: "assistant",
  status,
  content: [{ type: "output_audio", transcript: text }],
});

const texts = ({ order, entries }: Transcript) => order.map((id) => entries[id]?.text);

test("partial words grow, and the final transcript takes their place", () => {
  const begun = after(
    { type: "input_audio_buffer.speech_started", item_id: "u1" },
    { type: PARTIAL, item_id: "u1", delta: "What is" },
    { type: PARTIAL, item_id: "u1", delta: " the" },
  );
  expect(begun.floor).toBe("caller");
  expect(begun.entries.u1).toMatchObject({ text: "What is the", status: "live", role: "user" });
  const ended = told(begun, { type: FINAL, item_id: "u1", transcript: "What is the time?" });
  expect(ended.entries.u1).toMatchObject({ text: "What is the time?", status: "done" });
});

test("a partial that comes late changes nothing", () => {
  const now = after(
    { type: FINAL, item_id: "u1", transcript: "Yes." },
    { type: PARTIAL, item_id: "u1", delta: "Ye" },
  );
  expect(now.entries.u1?.text).toBe("Yes.");
});

test("an answer before its question's commit is put behind it", () => {
  const now = after(
    { type: "conversation.item.added", previous_item_id: "u1", item: answer("a1", "Hello.") },
    { type: "input_audio_buffer.committed", item_id: "u1", previous_item_id: null },
    { type: FINAL, item_id: "u1", transcript: "Hi!" },
  );
  expect(texts(now)).toEqual(["Hi!", "Hello."]);
});

test("of an answer that was cut, what was heard stands and the rest is told apart", () => {
  const now = after(
    { type: "response.created", response: { id: "r1", status: "in_progress" } },
    { type: SAID, response_id: "r1", item_id: "a1", delta: "It is the Pacific" },
    { type: SAID, response_id: "r1", item_id: "a1", delta: ", and it is deep." },
    {
      type: "response.output_audio_transcript.done",
      response_id: "r1",
      item_id: "a1",
      transcript: "It is the",
    },
    {
      type: "response.output_item.done",
      response_id: "r1",
      item: answer("a1", "It is the", "incomplete"),
    },
    {
      type: "response.done",
      response: { id: "r1", status: "cancelled", status_details: { reason: "turn_detected" } },
    },
  );
  expect(now.entries.a1).toMatchObject({
    text: "It is the",
    unheard: " Pacific, and it is deep.",
    status: "cut",
  });
});

test("after a truncate the history is what the server says was heard", () => {
  const now = after(
    {
      type: "conversation.item.done",
      previous_item_id: null,
      item: answer("a1", "One two three."),
    },
    { type: "conversation.item.truncated", item_id: "a1", content_index: 0, audio_end_ms: 420 },
    { type: "conversation.item.retrieved", item: answer("a1", "One two", "incomplete") },
  );
  expect(now.entries.a1).toMatchObject({ text: "One two", unheard: " three.", heardMs: 420 });
});

test("coming back, the history that is told again is not told twice", () => {
  const item = answer("a1", "Hello.");
  const event = { type: "conversation.item.done", previous_item_id: null, item };
  expect(texts(after(event, event))).toEqual(["Hello."]);
});

test("who is cut off does not wait for the end of what was being said", () => {
  const begun = after(
    { type: FINAL, item_id: "u1", transcript: "What is the time?" },
    { type: "response.created", response: { id: "r1", status: "in_progress" } },
    { type: SAID, response_id: "r1", item_id: "a1", delta: "It is now almost" },
    { type: "input_audio_buffer.speech_started", item_id: "u2" },
  );
  const gone = left(begun);
  expect(gone).toMatchObject({ order: ["u1", "a1"], floor: "nobody", response: null });
  expect(gone.entries.a1).toMatchObject({ status: "cut", text: "It is now almost" });
  const item = answer("a1", "It is now", "incomplete");
  const event = { type: "conversation.item.done", previous_item_id: "u1", item } as const;
  const back = told(gone, event);
  expect(back.entries.a1).toMatchObject({ text: "It is now", unheard: " almost" });
});

test("a failed answer says why", () => {
  const now = after(
    { type: "response.created", response: { id: "r1", status: "in_progress" } },
    { type: SAID, response_id: "r1", item_id: "a1", delta: "Well" },
    {
      type: "response.done",
      response: { id: "r1", status: "failed", status_details: { error: { message: "no model" } } },
    },
  );
  expect(now.entries.a1).toMatchObject({ status: "failed", note: "no model" });
});

test("a call waits until its output is there", () => {
  const item = {
    id: "f1",
    type: "function_call",
    status: "completed",
    call_id: "c1",
    name: "get_weather",
    arguments: '{"city":"Oslo"}',
  };
  const asked = after({ type: "conversation.item.done", previous_item_id: null, item });
  expect(pendingCalls(asked).map(({ call }) => call?.name)).toEqual(["get_weather"]);
  const output = { id: "o1", type: "function_call_output", call_id: "c1", output: "rain" };
  const done = told(asked, {
    type: "conversation.item.done",
    previous_item_id: "f1",
    item: output,
  });
  expect(pendingCalls(done)).toEqual([]);
});

test("the arguments of a call are shown as they come", () => {
  const type = "response.function_call_arguments.delta";
  const now = after(
    { type, response_id: "r1", item_id: "f1", call_id: "c1", delta: '{"ci' },
    { type, response_id: "r1", item_id: "f1", call_id: "c1", delta: 'ty"' },
  );
  expect(now.entries.f1?.call?.arguments).toBe('{"city"');
  expect(pendingCalls(now)).toEqual([]);
});

test("the floor is the agent's as long as it is heard, also after its response is done", () => {
  const talking = playing(
    after({ type: "response.created", response: { id: "r1", status: "in_progress" } }),
    true,
  );
  expect(talking.floor).toBe("agent");
  const done = told(talking, {
    type: "response.done",
    response: { id: "r1", status: "completed" },
  });
  expect(done.floor).toBe("agent");
  expect(playing(done, false).floor).toBe("nobody");
});

test("a passage that was cited stands with the answer", () => {
  const now = after(
    {
      type: "voiceforge.knowledge.cited",
      response_id: "r1",
      passages: [{ document_id: "d", passage_id: "p", title: "Menu", score: 0.8 }],
    },
    {
      type: "response.output_item.added",
      response_id: "r1",
      item: answer("a1", "", "in_progress"),
    },
  );
  expect(now.entries.a1?.sources).toEqual(["Menu"]);
});

test("events of a later server are passed over", () => {
  expect(understood({ type: "response.telepathy.delta", delta: "…" })).toBeNull();
});
