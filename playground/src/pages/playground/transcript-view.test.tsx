import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Entry } from "@/realtime/transcript";
import { Line } from "./transcript-view";

const said: Entry = {
  id: "a1",
  kind: "message",
  role: "assistant",
  status: "done",
  text: "Hello.",
  unheard: "",
  spoken: true,
  heardMs: null,
  responseId: "r1",
  call: null,
  sources: [],
  note: null,
};

test("script in what was said, in a title or in a note is shown as text", () => {
  const script = "<script>alert(1)</script><img src=x onerror=alert(1)>";
  const entry = { ...said, text: script, unheard: script, sources: [script], note: script };
  const { container } = render(<Line entry={entry} waitMs={null} />);
  expect(container.querySelector("script, img")).toBeNull();
  expect(screen.getAllByText(script, { exact: false }).length).toBeGreaterThanOrEqual(3);
});

test("what was cut is struck through, and said to be", () => {
  const entry = {
    ...said,
    text: "It is",
    unheard: " the Pacific.",
    status: "cut" as const,
    heardMs: 420,
  };
  render(<Line entry={entry} waitMs={612} />);
  expect(screen.getByText("the Pacific.").tagName).toBe("DEL");
  expect(screen.getByText("cut: heard for 420 ms")).toBeInTheDocument();
  expect(screen.getByText("612 ms")).toBeInTheDocument();
});

test("a call of the server's own shows what came of it", () => {
  const call = { id: "c", name: "order", arguments: "{}" };
  render(<Line entry={{ ...said, kind: "own_call", call, text: "42" }} waitMs={null} />);
  expect(screen.getByText("order({})")).toBeInTheDocument();
  expect(screen.getByText("→ 42")).toBeInTheDocument();
});
