// What each page of the app is for, done in Chromium.

import assert from "node:assert/strict";
import { test } from "node:test";
import { APP, app, ask, barriers, complained, KEY, saved, signIn } from "./browser.mjs";

const CLIPS = process.env.VOICEFORGE_CLIPS;
const WAIT_MS = 60_000;
const DAYS = 30; // that the charts show at first

test.afterEach(() => assert.deepEqual(complained(), []));

/** Go through a chart by keys, from its first place to the last of so many. */
async function walk(chart, places) {
  await chart.focus();
  for (let place = 1; place < places; place += 1) await chart.press("ArrowRight");
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

test("an agent's tools, knowledge, variables and webhooks are set in a form; what it does not show stays", async (t) => {
  const shelf = await ask("POST", "/v1/knowledge", { name: "Opening hours" });
  await ask("PUT", "/v1/secrets/FORM_TEST", { value: "hush" });
  const odd = { session: { temperature: 0.7, instructions: "Speak with {{who}}." }, tools: [{ type: "wait", name: "hold_on" }] };
  const made = await ask("POST", "/v1/agents", { name: "Form test", config: odd });
  t.after(async () => {
    const mine = [`agents/${made.id}`, `knowledge/${shelf.id}`, "secrets/FORM_TEST"];
    for (const one of mine) await ask("DELETE", `/v1/${one}`);
  });
  const page = await app(t, { path: `/agents/${made.id}` });
  const open = (part) => page.getByRole("tab", { name: part }).click();
  await open("Tools");
  await page.getByRole("button", { name: "Add a tool" }).click();
  await page.getByRole("menuitem", { name: /^HTTP request/ }).click();
  await page.getByLabel("Name").last().fill("order_status");
  await page.getByLabel("Address").fill("https://{order}.example/");
  await page.getByRole("button", { name: "Add an argument" }).click();
  await page.getByLabel("Argument 1", { exact: true }).fill("order");
  await page.getByLabel("What argument 1 is").fill("Its number.");
  await page.getByRole("button", { name: "Add a header" }).click();
  await page.getByLabel("Header 1", { exact: true }).fill("authorization");
  await page.getByLabel("Value of header 1").fill("Bearer {{secret.NOBODY}}");
  await page.getByText("There is no secret NOBODY yet").waitFor();
  await page.getByLabel("Value of header 1").fill("Bearer {{secret.FORM_TEST}}");
  await page.getByRole("button", { name: "Add a tool" }).click();
  await page.getByRole("menuitem", { name: /^Client function/ }).click();
  await page.getByLabel("Name").last().fill("show_map");
  await open("Knowledge");
  await page.getByLabel("Opening hours").check();
  await open("Variables");
  await page.getByText("{{who}}").waitFor();
  await page.getByRole("button", { name: "Add a variable" }).click();
  await page.getByLabel("Variable 1", { exact: true }).fill("who");
  await page.getByLabel("Value of variable 1").fill("Ada");
  await open("Webhooks");
  await page.getByLabel("Ask a server of yours").click();
  await page.getByLabel("Address").fill("https://shop.example/who");
  assert.deepEqual(await barriers(page), []);
  await page.getByRole("button", { name: "Save as a version" }).click();
  const address = page.getByRole("textbox", { name: "Address" });
  await page.getByRole("alert").getByText("the host cannot be filled in").last().waitFor(); // at its field
  assert.equal(await address.getAttribute("aria-invalid"), "true");
  await address.fill("https://shop.example/{order}");
  await page.getByRole("button", { name: "Save as a version" }).click();
  await page.getByText("Version 2 is in use").first().waitFor();
  const { config } = await ask("GET", `/v1/agents/${made.id}`);
  const parameters = {
    type: "object",
    properties: { order: { type: "string", description: "Its number." } },
    required: ["order"],
  };
  const [held, http] = config.tools;
  assert.equal(held.name, "hold_on");
  assert.equal(http.name, "order_status");
  assert.equal(http.method, "GET");
  assert.equal(http.url, "https://shop.example/{order}");
  assert.deepEqual(http.parameters, parameters);
  assert.deepEqual(http.headers, { authorization: "Bearer {{secret.FORM_TEST}}" });
  assert.deepEqual(config.session.tools.map(({ type, name }) => [type, name]), [["function", "show_map"]]);
  assert.equal(config.session.temperature, 0.7);
  assert.deepEqual(config.session.voiceforge.variables, { who: "Ada" });
  assert.deepEqual(config.knowledge, [shelf.id]);
  assert.equal(config.incoming.url, "https://shop.example/who");
  await page.getByRole("button", { name: "Talk", exact: true }).click(); // with version 1
  await page.getByRole("button", { name: "Start talking" }).waitFor();
  await page.locator(`option[value="${made.id}@1"]`).waitFor({ state: "attached" });
  assert.equal(await page.getByLabel("Agent", { exact: true }).inputValue(), `${made.id}@1`);
});

test("documents are added to a collection, read, searched and deleted; what cannot be read is said", async (t) => {
  const page = await app(t, { path: "/knowledge" });
  await page.getByRole("button", { name: "New collection" }).first().click();
  await page.getByLabel("Name").fill("Bakery");
  await page.getByRole("button", { name: "Make it" }).click();
  await page.getByRole("heading", { name: "Bakery" }).waitFor();
  const hours = "# Hours\n\nOn Sundays the bakery opens at nine in the morning.";
  await page.locator("input[type=file]").setInputFiles([
    { name: "hours.md", mimeType: "text/markdown", buffer: Buffer.from(hours) },
    { name: "oven.exe", mimeType: "application/x-msdownload", buffer: Buffer.from("MZ") },
    { name: "broken.pdf", mimeType: "application/pdf", buffer: Buffer.from("no PDF at all") },
  ]);
  await page.getByRole("alert").getByText(/oven.exe: .*application\/x-msdownload/).waitFor();
  const documents = page.getByRole("region", { name: "Documents" });
  await documents.locator("li").filter({ hasText: "broken.pdf" }).getByText("failed").waitFor({ timeout: WAIT_MS });
  await page.getByRole("tab", { name: "Text" }).click();
  await page.getByLabel("Name").fill("Prices");
  await page.getByLabel("Text", { exact: true }).last().fill("# Prices\n\nA loaf of rye costs four euros.");
  await page.getByRole("button", { name: "Add it" }).click();
  for (const name of ["hours.md", "Prices"]) {
    await documents.locator("li").filter({ hasText: name }).getByText("ready").waitFor({ timeout: WAIT_MS });
  }
  assert.deepEqual(await barriers(page), []);
  const search = page.getByRole("region", { name: "Search" });
  await search.getByLabel("Question").fill("What does bread cost?");
  await search.getByRole("button", { name: "Search" }).click();
  const best = search.locator("li").first();
  await best.getByText("A loaf of rye costs four euros.").waitFor({ timeout: WAIT_MS });
  assert.match(await best.textContent(), /\d+ % alike/);
  await page.getByRole("button", { name: "Delete Prices" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await documents.getByText("Prices").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("Bakery is gone").first().waitFor();
});

test("a text is said, and what was said is transcribed", async (t) => {
  const page = await app(t, { path: "/speech" });
  await page.getByLabel("What is to be said").fill("What is the largest ocean on earth?");
  await page.getByRole("button", { name: "Say it" }).click();
  const speech = page.getByRole("region", { name: "Speech", exact: true });
  await speech.locator("[data-lit]", { hasText: "largest" }).waitFor({ timeout: WAIT_MS }); // as it is heard
  await speech.getByText("real time").waitFor({ timeout: WAIT_MS });
  await speech.getByRole("button", { name: "Play" }).waitFor(); // it has ended
  await speech.getByRole("button", { name: "ocean" }).click();
  await speech.locator("[data-lit]", { hasText: "ocean" }).waitFor();
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
  await transcript.getByRole("button", { name: /^ocean/ }).click({ timeout: WAIT_MS }); // it plays from there
  await transcript.locator("[data-lit]", { hasText: "ocean" }).waitFor();
  assert.match((await saved(page, "Save as srt")).toString(), /00:00:0.* --> [^]*ocean/);
  assert.match((await saved(page, "Save as vtt")).toString(), /^WEBVTT\n\n00:00:0/);
  assert.ok(JSON.parse((await saved(page, "Save as json", transcript)).toString()).words.length > 5);
  await page.getByRole("region", { name: "Earlier transcript" }).waitFor(); // the first one stays
  assert.deepEqual(await barriers(page), []);
});

test("what the microphone records is transcribed, and without one the page says what to do", async (t) => {
  const page = await app(t, { path: "/transcribe", microphone: `${CLIPS}/ocean.wav` });
  await page.getByRole("button", { name: "Record with the microphone" }).click();
  await page.waitForTimeout(6000); // the question is over
  await page.getByRole("button", { name: /^Stop, at 0:0/ }).click();
  await page.getByText("recording.webm").waitFor();
  await page.getByLabel("Model").selectOption("moonshine-tiny-en");
  await page.getByRole("button", { name: "Transcribe", exact: true }).click();
  const transcript = page.getByRole("region", { name: "Transcript", exact: true });
  await transcript.getByText(/largest ocean/i).waitFor({ timeout: WAIT_MS });
  await page.evaluate(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "NotFoundError"));
  });
  await page.getByRole("button", { name: "Record with the microphone" }).click();
  await page.getByRole("alert").getByText("There is no microphone").waitFor();
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
  await page.getByRole("button", { name: /^Play from/ }).last().click();
  await page.getByRole("button", { name: "Pause" }).waitFor();
  assert.deepEqual(await barriers(page), []);
  await page.goto(`${APP}/sessions`);
  await page.getByRole("link", { name: "Analytics" }).click();
  const waits = page.getByRole("application", { name: /^How long callers waited for answers/ });
  await walk(waits, DAYS);
  const tip = page.getByRole("region", { name: "Wait for answers" }).getByRole("status");
  await tip.getByText(/^\d.* m?s$/).first().waitFor();
  assert.deepEqual(await barriers(page), []);
});

test("what is used is drawn by day, apart by who used it, and saved as a table", async (t) => {
  await said("Something to be counted.");
  const page = await app(t, { path: "/usage" });
  const byModel = page.getByRole("application", { name: "Compute by day and model" });
  await walk(byModel, DAYS);
  const tip = page.getByRole("region", { name: "Compute by day" }).getByRole("status");
  assert.match(await tip.textContent(), /piper-joe/);
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
  await walk(card.getByRole("application"), levels.length);
  await card.getByRole("status").getByText("4.00 s").waitFor();
  const worst = card.getByRole("region", { name: "Levels" }).getByRole("row").last();
  assert.match(await worst.textContent(), /^8202\.00 s4\.00 s12no$/);
  assert.deepEqual(await barriers(page), []);
});

test("voices are found by what they are, heard, and talked with; the best come first", async (t) => {
  const page = await app(t, { path: "/voices" });
  const cards = page.locator("main li");
  await cards.first().getByText("default").waitFor();
  await page.getByLabel("Search voices").fill("japanese accent");
  await cards.filter({ hasText: "Joe" }).waitFor({ state: "detached" });
  const found = await cards.getByRole("heading").allTextContents();
  assert.ok(found.includes("Kumo"), found.join());
  await page.getByLabel("Search voices").fill("");
  await page.getByLabel("Kind").selectOption("can hold calls");
  await page.getByLabel("Gender").selectOption("female");
  await cards.filter({ hasText: "Joe" }).waitFor({ state: "detached" });
  assert.equal(await cards.count(), await cards.filter({ hasText: "natural" }).filter({ hasText: "female" }).count());
  await page.getByRole("button", { name: "Hear Alpha" }).click();
  await page.getByRole("button", { name: "Stop Alpha" }).waitFor();
  const alpha = cards.filter({ has: page.getByRole("heading", { name: "Alpha" }) });
  await alpha.getByRole("button", { name: "Talk" }).click();
  await page.getByRole("button", { name: "Start talking" }).waitFor();
  assert.equal(await page.getByLabel("Voice", { exact: true }).inputValue(), "jf_alpha");
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

test("a key is replaced: the new one opens what the old one did, which ends when it was said to", async (t) => {
  const limits = { requests_per_minute: 600 };
  const old = await ask("POST", "/v1/admin/keys", { name: "to be replaced", scopes: ["records"], limits });
  const page = await app(t, { path: "/keys" });
  const rows = page.locator("main li").filter({ hasText: "to be replaced" });
  await rows.getByText("at most 600 requests a minute").waitFor();
  await rows.getByRole("button", { name: "Replace" }).click();
  await page.getByLabel("The old one").selectOption({ label: "ends now, and its open calls with it" });
  assert.deepEqual(await barriers(page), []);
  await page.getByRole("button", { name: "Replace it" }).click();
  const secret = await page.getByRole("dialog").locator("code").textContent();
  await page.getByRole("button", { name: "I have it" }).click();
  await rows.nth(1).waitFor({ state: "detached" }); // the old one is hidden
  await rows.getByText("at most 600 requests a minute").waitFor();
  const status = async (key) =>
    (await fetch(`${process.env.VOICEFORGE_URL}/v1/sessions`, { headers: { authorization: `Bearer ${key}` } })).status;
  assert.equal(await status(secret), 200);
  assert.equal(await status(old.secret), 401);
  await page.getByLabel("Show revoked and expired keys").click();
  await rows.filter({ hasText: "revoked" }).first().waitFor();
  await rows.getByRole("button", { name: "Replace" }).click();
  await page.getByLabel("The old one").selectOption({ label: "is good for a day more" });
  await page.getByRole("button", { name: "Replace it" }).click();
  await page.getByRole("button", { name: "I have it" }).click();
  await rows.getByText("replaced", { exact: true }).waitFor();
  assert.equal(await status(secret), 200);
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

test("a pronunciation dictionary is made, changed, spoken with, and deleted", async (t) => {
  const page = await app(t, { path: "/settings" });
  const card = page.getByRole("region", { name: "Pronunciation" });
  await card.getByRole("button", { name: "New dictionary" }).click();
  await page.getByLabel("Name", { exact: true }).last().fill("Test ships");
  await page.getByLabel("Written, rule 1").fill("Gorch");
  await page.getByLabel("Said, rule 1").fill("elephant");
  await page.getByRole("button", { name: "Add a rule" }).click();
  await page.getByLabel("Written, rule 2").fill("Fock");
  await page.getByLabel("How, rule 2").selectOption("in ARPAbet");
  await page.getByLabel("Said, rule 2").fill("QQ 9");
  assert.deepEqual(await barriers(page), []);
  await page.getByRole("dialog").getByRole("button", { name: "Keep it" }).click();
  await page.getByRole("alert").getByText(/rules\[1\]/).waitFor();
  await page.getByLabel("Said, rule 2").fill("F AA1 K");
  await page.getByRole("dialog").getByRole("button", { name: "Keep it" }).click();
  await card.getByText("2 rules").waitFor();
  await card.getByRole("button", { name: "Change Test ships" }).click();
  assert.equal(await page.getByLabel("Said, rule 2").inputValue(), "F AA1 K");
  await page.getByRole("button", { name: "Remove rule 2" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Keep it" }).click();
  await card.getByText("1 rule", { exact: true }).waitFor();
  const [{ id }] = (await ask("GET", "/v1/pronunciation-dictionaries")).pronunciation_dictionaries;
  await page.goto(`${APP}/speech`);
  await page.getByLabel("Pronunciation").selectOption("Test ships");
  await page.getByLabel("What is to be said").fill("Gorch");
  const [asked] = await Promise.all([
    page.waitForRequest(/with-timestamps/),
    page.getByRole("button", { name: "Say it" }).click(),
  ]);
  const [locator] = asked.postDataJSON().pronunciation_dictionary_locators;
  assert.equal(locator.pronunciation_dictionary_id, id);
  await page.getByText("real time").waitFor({ timeout: WAIT_MS });
  await page.goto(`${APP}/settings`);
  await card.getByRole("button", { name: "Delete Test ships" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("Test ships is gone").first().waitFor();
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

test("on every page the call behind it can be copied as code", async (t) => {
  const page = await app(t, { path: "/agents" });
  for (const [path, call] of [
    ["agents", "/v1/agents"],
    ["knowledge", "/v1/knowledge"],
    ["sessions", "/v1/sessions"],
    ["voices", "/v1/voices"],
    ["keys", "/v1/admin/keys"],
    ["settings", "/v1/secrets/"],
  ]) {
    await page.goto(`${APP}/${path}`);
    await page.getByRole("button", { name: "Code" }).first().click();
    const code = await page.getByRole("dialog").locator("pre").textContent();
    assert.match(code, new RegExp(`^curl .*${call}`), path);
  }
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
