import { expect, test } from "vitest";
import { conversational, transcribers } from "./names";

const model = (id: string, tasks: ("chat" | "speech" | "realtime" | "transcription")[]) => ({
  id,
  object: "model",
  created: 0,
  owned_by: "voiceforge",
  voiceforge: { tasks, word_times: false },
});

test("what a model is for is the server's word, not its name's", () => {
  const models = [
    model("voiceforge", ["speech", "realtime"]),
    model("gpt-realtime-whisper", ["transcription"]),
  ];
  expect(conversational(models)).toEqual(["voiceforge"]);
  expect(transcribers(models)).toEqual(["gpt-realtime-whisper"]);
});
