// The web app in a Chromium whose network goes away. The line ends here and at the browser's side,
// in a namespace of its own: taken down there the browser is told, taken down here it is not.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "node:test";
import { APP, app, complained, picture, saved } from "./browser.mjs";

const { VOICEFORGE_CLIPS: CLIPS, LINE_NAMESPACE: NAMESPACE } = process.env;
const ANSWER_MS = 60_000; // the microphone asks every 15 s: one question may fall into the hole

const QUIET_MS = 22_000; // by then either side has closed what was left of the old call

const ip = (words) => execFileSync("ip", words.replaceAll("NS", NAMESPACE).split(" "));

/** How the line is cut and mended: at this end, at the browser's, or so that the browser only hears nothing. */
const CUTS = {
  here: [["link set NS-0 down"], ["link set NS-0 up"]],
  there: [["-n NS link set NS-1 down"], ["-n NS link set NS-1 up"]],
  deaf: [
    ["-n NS rule add pref 2 lookup local", "-n NS rule add pref 1 iif NS-1 blackhole", "-n NS rule del pref 0"],
    ["-n NS rule add pref 0 lookup local", "-n NS rule del pref 1", "-n NS rule del pref 2"],
  ],
};

async function withoutNetwork(how, ms) {
  const [cut, mended] = CUTS[how];
  cut.forEach(ip);
  try {
    await sleep(ms);
  } finally {
    mended.forEach(ip);
  }
}

async function talking(t, setup) {
  const flags = [`--unsafely-treat-insecure-origin-as-secure=${new URL(APP).origin}`]; // a microphone
  return app(t, { microphone: `${CLIPS}/asking.wav`, setup, flags });
}

const answered = (page, number) =>
  page.getByText(`Answer ${number}`, { exact: true }).waitFor({ timeout: ANSWER_MS });

async function say(page, text) {
  await page.getByLabel("Message").fill(text);
  await page.keyboard.press("Enter");
}

async function timeline(page) {
  return JSON.parse((await saved(page, "Timeline")).toString());
}

/** What is asked aloud from now on is answered aloud. */
async function answersAloud(page) {
  const { turns } = await timeline(page);
  await answered(page, turns.length + 1);
  const spoken = (await timeline(page)).turns[turns.length];
  assert.ok(spoken.stages.first_audio > 0 && spoken.stages.transcript > 0, JSON.stringify(spoken));
}

test.afterEach(() => assert.deepEqual(complained(), []));

for (const [transport, end] of [["webrtc", "here"], ["websocket", "there"]]) {
  test(`${transport} (${end}): three seconds without network lose nothing, after twelve it goes on`, async (t) => {
    const page = await talking(t, { transport });
    await say(page, "My name is Ada. Please remember it.");
    await answered(page, 1);
    await page.getByRole("button", { name: "Turn the microphone on" }).click();
    await answersAloud(page);
    await withoutNetwork(end, 3000);
    await answersAloud(page);
    assert.equal(await page.getByText("The connection was lost").count(), 0);

    const before = await timeline(page);
    const [began, away] = [Date.now(), withoutNetwork(end, 12_000)];
    await page.getByText("The line falters").waitFor({ timeout: 10_000 });
    t.diagnostic(`it falters, said after ${Date.now() - began} ms`);
    await page.getByText("The connection was lost").waitFor({ timeout: 10_000 });
    t.diagnostic(`it is lost, said after ${Date.now() - began} ms`);
    await picture(page, `lost-${transport}`);
    await away;
    const back = Date.now();
    await page.getByText("Back in the conversation").waitFor({ timeout: ANSWER_MS });
    t.diagnostic(`it is back ${Date.now() - back} ms after the network`);
    await answersAloud(page);
    await picture(page, `back-${transport}`);

    const after = await timeline(page);
    assert.equal(after.session_id, before.session_id);
    const ids = after.transcript.map(({ id }) => id);
    for (const { id, text } of before.transcript) assert.ok(ids.includes(id), `${text} is gone`);
    await page.getByRole("button", { name: "Mute" }).click();
    await say(page, "What is my name?");
    await page.getByRole("log", { name: "Transcript" }).getByText(/Ada/).nth(1).waitFor({ timeout: ANSWER_MS });
    assert.equal(await page.getByText("A new conversation").count(), 0);
  });
}

test("webrtc: a page that hears nothing gives up, and its goodbye does not end the session", async (t) => {
  const page = await talking(t, { transport: "webrtc" });
  await say(page, "My name is Ada. Please remember it.");
  await answered(page, 1);
  await page.getByText("Waiting for you").waitFor({ timeout: ANSWER_MS });
  const away = withoutNetwork("deaf", 12_000);
  await page.getByText("The connection was lost").waitFor({ timeout: 10_000 });
  await away;
  await page.getByText("Back in the conversation").waitFor({ timeout: ANSWER_MS });
  await sleep(QUIET_MS);
  await say(page, "What is my name?");
  await answered(page, 2);
  assert.equal(await page.getByText("A new conversation").count(), 0);
});
