// The playground in Chromium: talks, types, is interrupted, loses its line, its key, its microphone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { app, ask, barriers, complained, loudness, picture, saved } from "./browser.mjs";

const CLIPS = process.env.VOICEFORGE_CLIPS;
const ANSWER_MS = 30_000;
const GREETING =
  "Welcome to the harbour tour. We begin at the old lighthouse, which was built two hundred years " +
  "ago, then we pass the fish market, the shipyard and the bridge, and we end at the island, where " +
  "there is time for a walk, for a coffee, and for a swim if the weather is kind.";

const transcript = (page) => page.getByRole("log", { name: "Transcript" });
const heard = (page, words) => transcript(page).getByText(words).first().waitFor({ timeout: ANSWER_MS });

async function say(page, text) {
  await page.getByLabel("Message").fill(text);
  await page.keyboard.press("Enter");
}

async function timeline(page) {
  return JSON.parse((await saved(page, "Timeline")).toString());
}

test.afterEach(() => assert.deepEqual(complained(), []));

for (const transport of ["webrtc", "websocket"]) {
  test(`talks over ${transport}: heard, answered, measured and recorded`, async (t) => {
    const page = await app(t, { microphone: `${CLIPS}/ocean.wav`, setup: { transport } });
    await page.getByRole("button", { name: "Start talking" }).click();
    await heard(page, /largest ocean/i);
    await page.getByText("Answer 1").waitFor({ timeout: ANSWER_MS });
    await picture(page, `call-${transport}`);
    await page.getByText("Listening").waitFor({ timeout: ANSWER_MS });
    const [caller, agent] = await loudness(page, await saved(page, "Recording"));
    assert.ok(caller > 0.003 && agent > 0.003, `caller ${caller}, agent ${agent}`);
    const { turns, transcript: said, transport: used, events } = await timeline(page);
    assert.equal(used, transport);
    assert.ok(turns[0].stages.first_audio > 0 && turns[0].spans.length >= 4);
    assert.ok(said.some(({ role, text }) => role === "assistant" && text.length > 10));
    assert.ok(!/"resume":"[^…"]/.test(JSON.stringify(events)), "the secret is saved");
  });

  test(`an interruption over ${transport} keeps what was heard and strikes out the rest`, async (t) => {
    const setup = { transport, greeting: GREETING };
    const page = await app(t, { microphone: `${CLIPS}/cancel.wav`, setup });
    await page.getByRole("button", { name: "Start talking" }).click();
    await heard(page, /Welcome to the harbour tour/);
    const cut = transcript(page).locator("del");
    await cut.first().waitFor({ timeout: ANSWER_MS });
    const bubble = transcript(page).locator("article").first();
    await bubble.getByText(/^cut/).waitFor();
    await picture(page, `cut-${transport}`);
    assert.deepEqual(await barriers(page), []);
    assert.ok(GREETING.endsWith((await cut.first().textContent()).trim()));
    assert.ok((await bubble.locator("p").textContent()).startsWith("Welcome to the harbour"));
    await heard(page, /cancel/i);
  });
}

test("types, is answered, and every event can be looked at", async (t) => {
  const page = await app(t, { setup: { transport: "websocket", answers: "text" } });
  await say(page, "What is the capital of France?");
  await heard(page, /Paris/);
  await page.getByRole("tab", { name: "Events" }).click();
  await page.getByLabel("Filter events").fill("session.updated");
  await page.getByRole("button", { name: /session\.updated/ }).click();
  const event = JSON.parse(await page.getByRole("region", { name: "Event" }).locator("pre").textContent());
  await picture(page, "events");
  assert.deepEqual(await barriers(page), []);
  assert.equal(event.type, "session.updated");
  assert.deepEqual(event.session.output_modalities, ["text"]);
});

test("moves to the other transport in mid-call, and the conversation goes on", async (t) => {
  const page = await app(t, { setup: { transport: "websocket" } });
  await say(page, "My name is Ada. Please remember it.");
  await page.getByText("Answer 1").waitFor({ timeout: ANSWER_MS });
  await page.getByText("WebRTC", { exact: true }).first().click();
  await page.getByText("Back in the conversation").waitFor({ timeout: ANSWER_MS });
  await page.getByRole("button", { name: "Dismiss" }).click();
  await heard(page, /My name is Ada/);
  await say(page, "What is my name?");
  await page.getByText("Answer 2").waitFor({ timeout: ANSWER_MS });
  await heard(page, /Ada\b/);
  await page.getByText("WebSocket", { exact: true }).first().click();
  await page.getByText("Back in the conversation").waitFor({ timeout: ANSWER_MS });
  await say(page, "What is my name, once more?");
  await page.getByText("Answer 3").waitFor({ timeout: ANSWER_MS });
  assert.equal(await page.getByText("A new conversation").count(), 0);
});

test("a line that is cut is taken up again, and the conversation is the same", async (t) => {
  let cut;
  const before = (page) =>
    page.routeWebSocket(/\/v1\/realtime/, (client) => {
      const server = client.connectToServer();
      cut = () => {
        server.close({ code: 4999 });
        client.close({ code: 4999 });
      };
    });
  const page = await app(t, { before, setup: { transport: "websocket", answers: "text" } });
  await say(page, "My name is Ada. Please remember it.");
  await page.getByText("Answer 1").waitFor({ timeout: ANSWER_MS });
  const { session_id: id } = await timeline(page);
  cut();
  await page.getByText("The connection was lost").waitFor();
  await page.getByText("Back in the conversation").waitFor({ timeout: ANSWER_MS });
  assert.equal((await timeline(page)).session_id, id);
  await say(page, "What is my name?");
  await page.getByText("Answer 2").waitFor({ timeout: ANSWER_MS });
  const { transcript: said } = await timeline(page);
  const asked = said.filter(({ role }) => role === "user").map(({ text }) => text);
  assert.deepEqual(asked, ["My name is Ada. Please remember it.", "What is my name?"]);
});

test("the agent is heard from the loudspeaker that is chosen, in mid-call and the next time", async (t) => {
  const before = (page) =>
    page.addInitScript(() => {
      window.sinks = [];
      for (const { prototype } of [AudioContext, HTMLMediaElement]) {
        const into = prototype.setSinkId;
        prototype.setSinkId = function (id) {
          return into.call(this, id).then(() => window.sinks.push(`${this.constructor.name} ${id}`));
        };
      }
    });
  const setup = { transport: "webrtc", greeting: GREETING };
  const page = await app(t, { microphone: `${CLIPS}/ocean.wav`, before, setup });
  await page.getByRole("button", { name: "Start talking" }).click();
  await page.getByText("The agent speaks").waitFor({ timeout: ANSWER_MS });
  const loudspeaker = page.getByLabel("Loudspeaker");
  await loudspeaker.selectOption({ label: "Fake Audio Output 2" });
  const id = await loudspeaker.inputValue();
  await page.waitForFunction(() => window.sinks.length === 2);
  assert.deepEqual(await page.evaluate(() => window.sinks.sort()), [`AudioContext ${id}`, `HTMLAudioElement ${id}`]);
  await page.getByRole("button", { name: "Hang up" }).click();
  await page.getByRole("button", { name: "Talk again" }).click();
  await page.waitForFunction((id) => window.sinks.slice(2).includes(`AudioContext ${id}`), id);
});

test("push-to-talk: held, let go, answered", async (t) => {
  const setup = { transport: "webrtc", turns: "push" };
  const page = await app(t, { microphone: `${CLIPS}/ocean.wav`, setup });
  await page.getByRole("button", { name: "Start talking" }).click();
  const button = page.getByRole("button", { name: "Hold to talk" });
  await button.waitFor();
  await page.waitForFunction(() => !document.querySelector("button[aria-pressed]:disabled"));
  await button.hover();
  await page.mouse.down();
  await page.waitForTimeout(4500);
  await page.mouse.up();
  await page.getByText("Answer 1").waitFor({ timeout: ANSWER_MS });
  await heard(page, /ocean/i);
});

test("a call of a function waits for an answer by hand", async (t) => {
  const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
  const tool = { type: "function", name: "get_weather", description: "The weather now.", parameters };
  const instructions = "Use get_weather for every question about the weather. Then answer briefly.";
  const setup = { transport: "websocket", answers: "text", tools: [tool], instructions };
  const page = await app(t, { setup });
  await say(page, "What is the weather in Oslo?");
  await page.getByRole("tab", { name: /Tools/ }).click();
  await page.getByText("waits for you").waitFor({ timeout: ANSWER_MS });
  await picture(page, "function-call");
  assert.deepEqual(await barriers(page), []);
  await page.getByLabel("Your answer").fill('{"weather": "snow", "celsius": -4}');
  await page.getByRole("button", { name: "Answer" }).click();
  await heard(page, /snow|-4/i);
  assert.equal(await page.getByText("waits for you").count(), 0);
});

test("without a microphone it says so, and goes on in writing", async (t) => {
  const page = await app(t, { permission: false, setup: { transport: "websocket", answers: "text" } });
  await page.getByRole("button", { name: "Start talking" }).click();
  await page.getByText(/may not use the microphone/).waitFor({ timeout: ANSWER_MS });
  await page.getByText("Waiting for you").waitFor();
  await say(page, "What is the capital of France?");
  await heard(page, /Paris/);
});

test("a microphone that is taken away in mid-call is missed, and heard again when it is given back", async (t) => {
  const setup = { transport: "webrtc", answers: "text" };
  const context = { permissions: ["microphone"] };
  const page = await app(t, { microphone: `${CLIPS}/ocean.wav`, permission: false, setup, context });
  await page.getByRole("button", { name: "Start talking" }).click();
  await page.getByText("Listening").waitFor({ timeout: ANSWER_MS });
  await page.context().clearPermissions();
  await page.getByText("The microphone is gone").waitFor({ timeout: ANSWER_MS });
  await page.getByText(/may not use the microphone/).waitFor();
  await picture(page, "microphone-gone");
  await say(page, "What is the capital of France?");
  await heard(page, /Paris/);
  await page.context().grantPermissions(["microphone"]);
  await page.getByRole("button", { name: "Turn the microphone on" }).click();
  await heard(page, /largest ocean/i);
});

test("a key that is revoked in mid-call ends it, and the page says why", async (t) => {
  const { key, secret } = await ask("POST", "/v1/admin/keys", { name: "for a minute", scopes: ["realtime"] });
  const page = await app(t, { key: secret, setup: { transport: "websocket", answers: "text" } });
  await say(page, "Hello!");
  await page.getByText("Waiting for you").waitFor({ timeout: ANSWER_MS });
  await ask("POST", `/v1/admin/keys/${key.id}/revoke`);
  await page.getByText("The key was revoked").waitFor({ timeout: ANSWER_MS });
  await page.getByText("The call has ended").waitFor();
});

test("a gateway that dies: the page comes back, into a new conversation, and says so", async (t) => {
  const page = await app(t, { setup: { transport: "websocket", answers: "text" } });
  await say(page, "My name is Ada.");
  await page.getByText("Answer 1").waitFor({ timeout: ANSWER_MS });
  const { gateways } = await ask("GET", "/v1/system");
  for (const { pid } of gateways) process.kill(pid, "SIGKILL");
  await page.getByText("A new conversation").waitFor({ timeout: ANSWER_MS * 2 });
  await page.getByText("Waiting for you").waitFor({ timeout: ANSWER_MS * 2 });
  await heard(page, /My name is Ada/);
  await say(page, "What is the capital of France?");
  await heard(page, /Paris/);
});

test("who signs out hangs up", async (t) => {
  const page = await app(t, { setup: { transport: "websocket", answers: "text" } });
  await say(page, "Hello!");
  await page.getByText("Answer 1").waitFor({ timeout: ANSWER_MS });
  const { session_id: id } = await timeline(page);
  await page.getByRole("link", { name: "Agents" }).first().click(); // the call goes on behind
  await page.getByText("a call is under way").first().waitFor({ state: "attached" });
  await page.getByRole("button", { name: "Account" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByLabel("API key").waitFor();
  await page.waitForTimeout(2000); // what is kept is a second old
  assert.equal((await ask("GET", `/v1/sessions/${id}`)).end_reason, "client_left");
});

test("what is said is text, whatever stands in it", async (t) => {
  const page = await app(t, { setup: { transport: "websocket", answers: "text" } });
  page.on("dialog", () => assert.fail("what was said was run"));
  const text = "Hello <img src=x onerror=alert(1)><script>alert(2)</script>";
  await say(page, text);
  await page.getByText("Answer 1").waitFor({ timeout: ANSWER_MS });
  await transcript(page).getByText(text).waitFor();
  assert.equal(await page.locator("main img, main script").count(), 0);
});

test("an agent's name is text, whatever stands in it", async (t) => {
  const name = "<img src=x onerror=alert(1)>";
  const agent = await ask("POST", "/v1/agents", { name, config: {} });
  t.after(() => ask("DELETE", `/v1/agents/${agent.id}`));
  const page = await app(t);
  page.on("dialog", () => assert.fail("the name was run"));
  await page.locator("option", { hasText: name }).waitFor({ state: "attached" });
  assert.equal(await page.locator("main img").count(), 0);
});
