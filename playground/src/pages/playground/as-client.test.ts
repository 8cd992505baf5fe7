import { expect, test } from "vitest";
import { setup } from "@/realtime/setup";
import { CLIENTS } from "./as-client";

const wanted = setup.parse({ instructions: "It's '''quoted''' and \"so\"\non." });

test("nothing in the instructions ends Python's quotes", () => {
  const code = CLIENTS.Python?.(wanted, "http://here") ?? "";
  const [, json] = code.split("'''");
  expect(code.split("'''")).toHaveLength(3);
  expect(JSON.parse(json ?? "").instructions).toBe(wanted.instructions);
});

test("the agent goes into the address", () => {
  const own = { ...wanted, agent: "agent_1" };
  expect(CLIENTS.Python?.(own, "http://here")).toContain('extra_query={"agent":"agent_1"}');
  expect(CLIENTS.JavaScript?.(own, "https://here")).toContain(
    '"wss://here/v1/realtime?model=gpt-realtime&agent=agent_1"',
  );
});
