// More of what the pages of the app are for: what agents are made of, voices, keys, and code to copy.

import assert from "node:assert/strict";
import { test } from "node:test";
import { APP, app, ask, barriers, complained } from "./browser.mjs";

const CLIPS = process.env.VOICEFORGE_CLIPS;
const WAIT_MS = 60_000;

test.afterEach(() => assert.deepEqual(complained(), []));

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
