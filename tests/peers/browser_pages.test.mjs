// What each page of the app is for, done in Chromium.

import assert from "node:assert/strict";
import { test } from "node:test";
import { APP, app, ask, barriers, complained, KEY, saved, signIn } from "./browser.mjs";

const CLIPS = process.env.VOICEFORGE_CLIPS;
const WAIT_MS = 60_000;
const DAYS = 30; // that the charts show at first

test.afterEach(() => assert.deepEqual(complained(), []));

/** Go through a chart by keys, until this is told; a key is not heard while the chart is drawn anew. */
async function walk(chart, told) {
  await chart.focus();
  for (let press = 0; press < 2 * DAYS && !(await told.isVisible()); press += 1) {
    await chart.press("ArrowRight");
    await chart.page().waitForTimeout(50);
  }
  await told.waitFor();
}

/** Have a text spoken, and wait until that is counted. */
async function said(input) {
  const characters = async () => (await ask("GET", "/v1/usage")).used.characters;
  const before = await characters();
  const response = await fetch(`${process.env.VOICEFORGE_URL}/v1/audio/speech`, {
    method: "POST",
    headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "tts-1", voice: "alloy", input }),
  });
  assert.ok((await response.arrayBuffer()).byteLength > 0);
  for (const since = Date.now(); (await characters()) === before; ) {
    assert.ok(Date.now() < since + WAIT_MS, "what was said is not counted");
    await new Promise((soon) => setTimeout(soon, 500));
  }
}

test("an agent is made, changed, taken back to what it was, and deleted", async (t) => {
  const page = await app(t, { path: "/agents/new" });
  await page.getByLabel("Name").fill("Test harbour");
  await page.getByLabel("Instructions").first().fill("You answer for the harbour.");
  await page.getByRole("button", { name: "Make it" }).click();
  await page.getByText("The agent is ready").first().waitFor();
  await page.getByRole("textbox", { name: "Greeting" }).fill("Harbour, hello.");
  await page.getByRole("button", { name: "Save as a version" }).click();
  await page.getByText("Version 2 is in use").first().waitFor();
  await page.getByRole("button", { name: "Take up" }).click();
  await page.getByText("Version 1 is in the editor").first().waitFor();
  assert.equal(await page.getByRole("textbox", { name: "Greeting" }).inputValue(), "");
  await page.getByRole("tab", { name: "JSON" }).click();
  await page.getByLabel("Config").fill('{"session": {"voice": "nobody"}}');
  await page.getByRole("button", { name: "Save as a version" }).click();
  await page.getByText("Not saved").waitFor();
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("Test harbour is gone").first().waitFor();
});

/** Note which words light up from now on: each does for a moment only. */
async function watch(page) {
  await page.evaluate(() => {
    const found = new Set();
    window.litWords = found;
    const look = () => {
      for (const word of document.querySelectorAll("[data-lit]")) found.add(word.textContent.trim());
    };
    const how = { subtree: true, childList: true, attributes: true, attributeFilter: ["data-lit"] };
    new MutationObserver(look).observe(document.body, how);
  });
}

const lit = (page, word) =>
  page.waitForFunction((word) => [...window.litWords].some((one) => one.startsWith(word)), word, { timeout: WAIT_MS });

test("a text is said, and what was said is transcribed", async (t) => {
  const page = await app(t, { path: "/speech" });
  await page.getByLabel("What is to be said").fill("What is the largest ocean on earth?");
  await watch(page);
  await page.getByRole("button", { name: "Say it" }).click();
  const speech = page.getByRole("region", { name: "Speech", exact: true });
  await lit(page, "largest"); // as it is heard
  await speech.getByText("real time").waitFor({ timeout: WAIT_MS });
  await speech.getByRole("button", { name: "Play" }).waitFor(); // it has ended
  await watch(page);
  await speech.getByRole("button", { name: "ocean" }).click();
  await lit(page, "ocean");
  assert.deepEqual(await barriers(page), []);
  assert.ok((await saved(page, "Download")).length > 1000); // mp3
  await speech.getByLabel("Format").selectOption("wav");
  const sound = await saved(page, "Download");
  assert.equal(sound.subarray(0, 4).toString(), "RIFF");
  await page.goto(`${APP}/transcribe`);
  await page.getByLabel("Model").selectOption("moonshine-tiny-en");
  await page.locator("input[type=file]").setInputFiles({ name: "ocean.wav", mimeType: "audio/wav", buffer: sound });
  await page.getByRole("button", { name: "Transcribe", exact: true }).click();
  const transcript = page.getByRole("region", { name: "Transcript", exact: true });
  await transcript.getByText(/largest ocean on earth/i).waitFor({ timeout: WAIT_MS });
  await page.getByLabel("Model").selectOption("whisper-1");
  await page.getByRole("button", { name: "Transcribe", exact: true }).click();
  await transcript.getByRole("button", { name: /^ocean/ }).waitFor({ timeout: WAIT_MS });
  await watch(page);
  await transcript.getByRole("button", { name: /^ocean/ }).click(); // it plays from there
  await lit(page, "ocean");
  assert.match((await saved(page, "Save as srt")).toString(), /00:00:0.* --> [^]*ocean/);
  assert.match((await saved(page, "Save as vtt")).toString(), /^WEBVTT\n\n00:00:0/);
  assert.ok(JSON.parse((await saved(page, "Save as json", transcript)).toString()).words.length > 5);
  await page.getByRole("region", { name: "Earlier transcript" }).waitFor(); // the first one stays
  assert.deepEqual(await barriers(page), []);
});

test("a file that is no recording is refused, and the page says what is wrong", async (t) => {
  const page = await app(t, { path: "/transcribe" });
  const file = { name: "poem.mp3", mimeType: "audio/mpeg", buffer: Buffer.from("no sound at all") };
  await page.locator("input[type=file]").setInputFiles(file);
  await page.getByRole("button", { name: "Transcribe", exact: true }).click();
  await page.getByRole("alert").getByText("Not transcribed").waitFor({ timeout: WAIT_MS });
});

test("a recorded session is found by its words, read, and heard again", async (t) => {
  const setup = { transport: "websocket", record: true };
  const page = await app(t, { microphone: `${CLIPS}/ocean.wav`, setup });
  await page.getByRole("button", { name: "Start talking" }).click();
  await page.getByText("Answer 1").waitFor({ timeout: WAIT_MS });
  await page.getByText("Listening").waitFor({ timeout: WAIT_MS }); // it has said it
  await page.getByRole("button", { name: "Hang up" }).click();
  await page.getByRole("link", { name: "Sessions" }).first().click();
  await page.getByLabel("Words that were said").fill("largest ocean");
  const session = page.locator("main li a").filter({ hasText: "recorded" }).first();
  await session.waitFor({ timeout: WAIT_MS });
  await session.click();
  await page.getByText(/largest ocean/i).first().waitFor();
  const answer = page.getByRole("button", { name: /^Play from/ }).last();
  const atS = Number((await answer.textContent()).split(":")[1]);
  await answer.click();
  await page.getByRole("button", { name: "Pause" }).waitFor();
  const playedS = await page.evaluate(() => document.querySelector("audio").currentTime);
  assert.ok(atS > 0 && playedS >= atS, `${playedS} s, and not ${atS} s`); // from there, not from its beginning
  assert.deepEqual(await barriers(page), []);
  await page.goto(`${APP}/sessions`);
  await page.getByRole("link", { name: "Analytics" }).click();
  const waits = page.getByRole("application", { name: /^How long callers waited for answers/ });
  const tip = page.getByRole("region", { name: "Wait for answers" }).getByRole("status");
  await walk(waits, tip.getByText(/^\d.* m?s$/).first());
  assert.deepEqual(await barriers(page), []);
});

test("what is used is drawn by day, apart by who used it, and saved as a table", async (t) => {
  await said("Something to be counted.");
  const page = await app(t, { path: "/usage" });
  const byModel = page.getByRole("application", { name: "Compute by day and model" });
  const tip = page.getByRole("region", { name: "Compute by day" }).getByRole("status");
  await walk(byModel, tip.getByText(/piper-joe/).first());
  assert.deepEqual(await barriers(page), []);
  await page.getByRole("radio", { name: "Model" }).focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.getByRole("application", { name: "Compute by day and key" }).waitFor();
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("role")), "application");
  const table = page.getByRole("table", { name: "Compute by day and key" });
  assert.equal(await table.getByRole("row").count(), 1 + DAYS);
  assert.match(await table.getByRole("row").first().textContent(), /^Dayadmin/);
  const lines = (await saved(page, "CSV")).toString().split("\r\n");
  assert.equal(lines[0].split(",").slice(0, 4).join(), "day,key,id,dropped");
  assert.match(lines[1], /^\d{4}-\d\d-\d\d,admin,key_/);
});

test("the system shows what runs, live, and how many callers are let in", async (t) => {
  const page = await app(t, { path: "/system" });
  const memory = page.getByRole("application", { name: "Memory, the last five minutes" });
  await memory.press("ArrowRight");
  await page.getByRole("region", { name: "Memory" }).getByText(/ago|now/).first().waitFor();
  const heard = page.getByRole("region", { name: "Text to speech", exact: true });
  await heard.getByText("piper-joe").waitFor();
  const requests = heard.locator("dt", { hasText: "Requests" }).first().locator("+ dd");
  const before = Number(await requests.textContent().catch(() => 0));
  await said("Something to be seen.");
  await page.waitForFunction(
    ([element, count]) => Number(element?.textContent ?? 0) > count,
    [await requests.elementHandle(), before],
  );
  await page.getByText("Not loaded, and without memory").waitFor();
  await page.getByText(/Everybody is let in: admission is off/).waitFor();
  const capacity = page.getByRole("region", { name: "Capacity" });
  await capacity.getByText("voiceforge capacity").waitFor();
  await capacity.getByRole("button", { name: "Copy" }).waitFor();
});

test("a measured capacity is a curve, with where it ends", async (t) => {
  const levels = [
    { callers: 1, answers: 4, lost: 0, p50_ms: 700, p95_ms: 900 },
    { callers: 4, answers: 16, lost: 0, p50_ms: 800, p95_ms: 1200 },
    { callers: 8, answers: 20, lost: 12, p50_ms: 2000, p95_ms: 4000 },
  ];
  const at = "2026-11-29T18:00:00Z";
  const capacity = { at, machine: "Some CPU, 2 cores", held: 4, limit: 7, bound_ms: 1350, levels };
  const before = (page) =>
    page.route("**/v1/system", async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, json: { ...(await answer.json()), capacity } });
    });
  const page = await app(t, { path: "/system", before });
  const card = page.getByRole("region", { name: "Capacity" });
  await card.getByRole("strong").getByText("4 callers").waitFor();
  await card.getByText("Measured: 4 callers served well").waitFor();
  await walk(card.getByRole("application"), card.getByRole("status").getByText("4.00 s"));
  const worst = card.getByRole("region", { name: "Levels" }).getByRole("row").last();
  assert.match(await worst.textContent(), /^8202\.00 s4\.00 s12no$/);
  assert.deepEqual(await barriers(page), []);
  await page.unrouteAll({ behavior: "ignoreErrors" }); // it is asked for every two seconds
});

test("a key is made, shown once, used to sign in, and revoked", async (t) => {
  const page = await app(t, { path: "/keys" });
  await page.getByRole("button", { name: "New key" }).click();
  await page.getByLabel("Name").fill("browser test");
  assert.deepEqual(await barriers(page), []);
  await page.getByRole("button", { name: "Make it" }).click();
  const secret = await page.getByRole("dialog").locator("code").textContent();
  assert.match(secret, /^vf_/);
  await page.getByRole("button", { name: "I have it" }).click();
  assert.ok(!(await page.content()).includes(secret));
  const row = page.locator("main li").filter({ hasText: "browser test" }).filter({ hasNotText: "revoked" });
  await row.getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await page.getByText("browser test is revoked").first().waitFor();
});

test("a secret is kept, and never shown again", async (t) => {
  const page = await app(t, { path: "/settings" });
  const secrets = page.getByRole("region", { name: "Secrets" });
  await secrets.getByLabel("Name").fill("BROWSER_TEST");
  await secrets.getByLabel("Value").fill("hush-hush");
  await secrets.getByRole("button", { name: "Keep it" }).click();
  await secrets.getByText("BROWSER_TEST").waitFor();
  assert.ok(!(await page.content()).includes("hush-hush"));
  await secrets.getByRole("button", { name: "Delete BROWSER_TEST" }).click();
  await secrets.getByText("BROWSER_TEST").waitFor({ state: "detached" });
});

test("a webhook is added, and its secret shown this once", async (t) => {
  const page = await app(t, { path: "/settings" });
  const webhooks = page.getByRole("region", { name: "Webhooks" });
  await webhooks.getByLabel("Address").fill("https://shop.example/events");
  await webhooks.getByRole("button", { name: "Add" }).click();
  await webhooks.getByText(/^whsec_/).waitFor();
  await page.reload();
  await webhooks.getByText("https://shop.example/events").waitFor();
  assert.equal(await webhooks.getByText(/^whsec_/).count(), 0);
  await webhooks.getByRole("button", { name: "Delete https://shop.example/events" }).click();
  await webhooks.getByText("https://shop.example/events").waitFor({ state: "detached" });
});

test("a call can be copied as code", async (t) => {
  const page = await app(t, { path: "/usage" });
  await page.getByRole("button", { name: "Code" }).click();
  const code = page.getByRole("dialog").locator("pre");
  assert.match(await code.textContent(), /^curl 'http.*\/v1\/usage\?from=/);
  await page.getByRole("tab", { name: "Python" }).click();
  assert.match(await code.textContent(), /import httpx/);
});

test("signing in: a wrong key is told so, a right one opens, and signing out closes", async (t) => {
  const page = await app(t, { key: null, context: { reducedMotion: "reduce" } });
  await page.getByLabel("API key").fill("vf_wrong");
  assert.deepEqual(await barriers(page), []);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").waitFor();
  await signIn(page, KEY);
  await page.getByRole("button", { name: "Account" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByLabel("API key").waitFor();
  await page.reload();
  await page.getByLabel("API key").waitFor();
});

test("a key that is revoked while its holder looks on leads back to the sign-in, and says why", async (t) => {
  const { key, secret } = await ask("POST", "/v1/admin/keys", { name: "short", scopes: ["realtime", "records"] });
  const page = await app(t, { key: secret, path: "/sessions" });
  await page.getByLabel("Words that were said").waitFor();
  await ask("POST", `/v1/admin/keys/${key.id}/revoke`);
  const words = page.getByLabel("Words that were said");
  for (let look = 0; look < 10 && (await words.isVisible()); look += 1) {
    await words.fill(`word ${look}`, { timeout: 1000 }).catch(() => {}); // it may be gone by then
    await page.waitForTimeout(1000);
  }
  await page.getByText("You were signed out").waitFor();
});

test("a key sees the pages that it opens, and no others", async (t) => {
  const { secret } = await ask("POST", "/v1/admin/keys", { name: "talks", scopes: ["realtime", "speech"] });
  const page = await app(t, { key: secret });
  const pages = await page.getByRole("navigation", { name: "Pages" }).first().getByRole("link").allTextContents();
  assert.deepEqual(pages, ["Playground", "Speech", "Transcribe", "Voices"]);
});
