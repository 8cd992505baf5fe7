// A person at a browser: opens Chromium with a file for its microphone, calls, and leaves what was
// recorded.
//
// Wants JSON on standard input: `over` (webrtc, websocket, smallwebrtc), `url` and `key` of the
// server, `session` as in session.update, `query` (of pipecat's agent), `microphone` (a WAV file) and
// `seconds`. JSON goes out. The page is at localhost, where microphones are allowed, and asks the
// server through this program, which needs no permission of any server's.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { launch } from "../../tests/peers/chromium.mjs";

const asked = JSON.parse(await text(process.stdin));

/** Our answer to an offer. */
async function byVoiceForge(sdp) {
  const form = new FormData();
  form.set("sdp", sdp);
  form.set("session", JSON.stringify(asked.session));
  const headers = { authorization: `Bearer ${asked.key}` };
  return fetched(`${asked.url}/v1/realtime/calls`, { method: "POST", headers, body: form });
}

/** That of pipecat's request handler, which is JSON. */
async function byPipecat(sdp) {
  const query = new URLSearchParams(asked.query);
  const body = JSON.stringify({ sdp, type: "offer" });
  const headers = { "content-type": "application/json" };
  const answer = await fetched(`${asked.url}/api/offer?${query}`, { method: "POST", headers, body });
  return JSON.parse(answer).sdp;
}

async function fetched(url, request) {
  const answer = await fetch(url, request);
  const told = await answer.text();
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${told}`);
  return told;
}

const FILES = {
  "/": ["text/html", "<!doctype html><title>A call</title><script src='/call.js'></script>"],
  "/call.js": ["text/javascript", read("call.js")],
  "/recorder.js": ["text/javascript", read("recorder.js")],
};

function read(name) {
  return readFileSync(new URL(name, import.meta.url), "utf8");
}

const pages = createServer(({ url }, response) => {
  const [type, body] = FILES[url] ?? [];
  response.writeHead(body ? 200 : 404, type ? { "content-type": type } : {}).end(body);
});
await new Promise((resolve) => pages.listen(0, "localhost", resolve));
const browser = await launch({ microphone: asked.microphone });
try {
  const page = await browser.newPage();
  page.on("pageerror", (error) => process.stderr.write(`${error.stack}\n`));
  await page.exposeFunction("answer", asked.over === "webrtc" ? byVoiceForge : byPipecat);
  await page.goto(`http://localhost:${pages.address().port}/`);
  const { over, key, session, seconds } = asked;
  const url = `${asked.url.replace(/^http/, "ws")}/v1/realtime?model=gpt-realtime`;
  const told = await page.evaluate((what) => call(what), { over, url, key, session, seconds });
  process.stdout.write(JSON.stringify(told));
} finally {
  await browser.close();
  pages.close();
}
