// The web app in a Chromium that the server's UDP does not reach.

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "node:test";
import { APP, app, complained, picture, saved } from "./browser.mjs";

const ANSWER_MS = 60_000;
const OVER_MS = 8000; // nobody waits longer in front of a page that says that it connects
const UNCONNECTED_MS = 16_000; // then the server gives a call up that did not come about

async function timeline(page) {
  return JSON.parse((await saved(page, "Timeline")).toString());
}

async function answered(page, number, text) {
  if (text) {
    await page.getByLabel("Message").fill(text);
    await page.keyboard.press("Enter");
  }
  await page.getByText(`Answer ${number}`, { exact: true }).waitFor({ timeout: ANSWER_MS });
}

test("where no sound gets through by WebRTC, the call goes on over a WebSocket and says so", async (t) => {
  const flags = [`--unsafely-treat-insecure-origin-as-secure=${new URL(APP).origin}`]; // a microphone
  const microphone = `${process.env.VOICEFORGE_CLIPS}/asking.wav`;
  const page = await app(t, { microphone, setup: { transport: "webrtc" }, flags });
  await page.getByRole("button", { name: "Start talking" }).click();
  const began = Date.now();
  const over = page.getByText("Over to a WebSocket");
  await over.waitFor({ timeout: OVER_MS });
  t.diagnostic(`over to a WebSocket after ${Date.now() - began} ms`);
  await answered(page, 1);
  await picture(page, "no-route");
  const { transport, turns, session_id: id } = await timeline(page);
  assert.equal(transport, "websocket");
  assert.ok(turns[0].stages.first_audio > 0);
  await page.getByRole("button", { name: "Mute" }).click();

  // Asked for once more it is tried, and the session is none the worse for it.
  await page.getByRole("button", { name: "Dismiss" }).click();
  await page.getByText("WebRTC", { exact: true }).first().click();
  await over.waitFor({ timeout: ANSWER_MS });
  await page.getByText("Back in the conversation").waitFor({ timeout: ANSWER_MS });
  await sleep(UNCONNECTED_MS);
  await answered(page, (await timeline(page)).turns.length + 1, "What is the capital of France?");
  assert.equal((await timeline(page)).session_id, id);
  assert.equal(await page.getByText("A new conversation").count(), 0);
  assert.deepEqual(complained(), []);
});
