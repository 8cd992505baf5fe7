import { expect, test } from "vitest";
import { asCode } from "./as-code";

const speech = {
  method: "POST" as const,
  path: "/v1/audio/speech",
  body: { input: 'It\'s "fine"', voice: "joe", stream: false, speed: null },
  saveAs: "speech.mp3",
};

test("curl is quoted for a shell", () => {
  const code = asCode(speech, "curl", "http://here");
  expect(code).toContain("curl -X POST 'http://here/v1/audio/speech'");
  expect(code).toContain(`"It'\\''s \\"fine\\""`);
  expect(code).toContain("-o 'speech.mp3'");
});

test("Python has Python's constants", () => {
  const code = asCode(speech, "Python", "http://here");
  expect(code).toContain(
    'json={"input": "It\'s \\"fine\\"", "voice": "joe", "stream": False, "speed": None}',
  );
});

test("a form carries its file", () => {
  const call = {
    method: "POST" as const,
    path: "/x",
    form: { file: "@a.wav", model: "whisper-1" },
  };
  expect(asCode(call, "curl", "")).toContain("-F 'file=@a.wav'");
  expect(asCode(call, "Python", "")).toContain('files={"file": open("a.wav", "rb")}');
  expect(asCode(call, "JavaScript", "")).toContain(
    'form.append("file", await openAsBlob("a.wav"));',
  );
});
