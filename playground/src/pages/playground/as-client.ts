import { type Setup, sessionOf } from "@/realtime/setup";

/** Programs that hold the same conversation with stock clients; `origin` is the server's. */
export const CLIENTS: Readonly<Record<string, (setup: Setup, origin: string) => string>> = {
  Python: python,
  JavaScript: javascript,
};

function queryOf({ agent }: Setup): string {
  return agent ? JSON.stringify({ agent }) : "";
}

function python(setup: Setup, origin: string): string {
  const query = queryOf(setup);
  const json = session(setup).replaceAll("'", "\\u0027"); // nothing ends Python's quotes early
  return `import asyncio
import json
import os

from openai import AsyncOpenAI

SESSION = json.loads(r'''${json}''')


async def main() -> None:
    client = AsyncOpenAI(base_url=${quoted(`${origin}/v1`)}, api_key=os.environ["VOICEFORGE_API_KEY"])
    async with client.realtime.connect(model=${quoted(setup.model)}${query ? `, extra_query=${query}` : ""}) as line:
        await line.session.update(session=SESSION)
        await line.conversation.item.create(
            item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello!"}]}
        )
        await line.response.create()
        async for event in line:
            print(event.type)
            if event.type == "response.done":
                break


asyncio.run(main())`;
}

function javascript(setup: Setup, origin: string): string {
  const agent = setup.agent ? `&agent=${encodeURIComponent(setup.agent)}` : "";
  const address = `${origin.replace(/^http/, "ws")}/v1/realtime?model=${setup.model}${agent}`;
  return `import WebSocket from "ws";

const session = ${session(setup)};

const socket = new WebSocket(${quoted(address)}, {
  headers: { Authorization: \`Bearer \${process.env.VOICEFORGE_API_KEY}\` },
});
const send = (event) => socket.send(JSON.stringify(event));

socket.on("open", () => {
  send({ type: "session.update", session });
  const content = [{ type: "input_text", text: "Hello!" }];
  send({ type: "conversation.item.create", item: { type: "message", role: "user", content } });
  send({ type: "response.create" });
});
socket.on("message", (data) => {
  const event = JSON.parse(data);
  console.log(event.type);
  if (event.type === "response.done") socket.close(1000);
});`;
}

const session = (setup: Setup) => JSON.stringify(sessionOf(setup), null, 2);

const quoted = (text: string) => JSON.stringify(text);
