// The web app in Chromium, as a person has it: found by what is written on its controls.

import { mkdirSync, readFileSync } from "node:fs";
import { AxeBuilder } from "@axe-core/playwright";
import { launch } from "./chromium.mjs";

const SERVER = process.env.VOICEFORGE_URL;
export const KEY = process.env.VOICEFORGE_API_KEY;

/** Where the app is served: by the server itself, unless it is being worked on. */
export const APP = process.env.VOICEFORGE_APP ?? `${SERVER}/app`;

/** Ask the API. Throws on a refusal. */
export async function ask(method, path, body) {
  const headers = { authorization: `Bearer ${KEY}`, "content-type": "application/json" };
  const response = await fetch(SERVER + path, { method, headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.status === 204 ? null : response.json();
}

/** What the page complained of: none of it may be there at the end. */
const complaints = [];

/**
 * A browser with one page of the app, signed in unless `key` is null; it is closed with the test.
 * `setup`: the playground's, as the browser would remember it. `before` gets the page while it is empty.
 */
export async function app(t, { path = "/", key = KEY, setup, context = {}, before, ...browser } = {}) {
  const chromium = await launch(browser);
  t.after(() => chromium.close());
  const held = await chromium.newContext({ viewport: { width: 1440, height: 900 }, ...context });
  const page = await held.newPage();
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (/Content Security Policy|Warning:/.test(message.text())) complaints.push(message.text());
  });
  if (setup) {
    await page.addInitScript((wanted) => {
      localStorage.setItem("voiceforge.playground", JSON.stringify(wanted));
    }, setup);
  }
  await before?.(page);
  await page.goto(APP + path);
  if (key !== null) await signIn(page, key);
  return page;
}

/** Sign in, if nobody is. */
export async function signIn(page, key) {
  const field = page.getByLabel("API key");
  await field.or(page.locator("main#main")).first().waitFor();
  if (!(await field.isVisible())) return;
  await field.fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.locator("main#main").waitFor();
}

/** What the page complained of until now; then it is forgotten. */
export function complained() {
  return complaints.splice(0);
}

/** What is saved when this button, somewhere on the page, is pressed, as bytes. */
export async function saved(page, button, within = page) {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    within.getByRole("button", { name: button, exact: true }).click(),
  ]);
  return readFileSync(await download.path());
}

/** How loud each side of a recording is: the root of its mean power, of the caller and the agent. */
export function loudness(page, recording) {
  return page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const sound = await new OfflineAudioContext(2, 1, 24_000).decodeAudioData(bytes.buffer);
    return Array.from({ length: sound.numberOfChannels }, (_, side) => {
      const samples = sound.getChannelData(side);
      return Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length);
    });
  }, recording.toString("base64"));
}

/** What axe finds that keeps people out, in a line each. */
export async function barriers(page) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id} ${target}: ${failureSummary}`));
}

/** A picture of the page, if anybody wants them. */
export async function picture(page, name) {
  const folder = process.env.SCREENSHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: `${folder}/${name}.png`, animations: "disabled" });
}
