// Pictures of every page with a day's work on it, for docs/app: made only where SCREENSHOTS names a folder.

import { test } from "node:test";
import { APP, app, ask, picture } from "./browser.mjs";

const CLIPS = process.env.VOICEFORGE_CLIPS;
const WAIT_MS = 60_000;

const INSTRUCTIONS =
  "You answer the question line of the {{town}} city library: short, friendly, in one or two sentences. When " +
  "somebody says goodbye, end the call.";

const TOOLS = [
  {
    type: "http",
    name: "find_book",
    description: "Where a book stands, and whether it is in.",
    url: "https://library.example/books",
    method: "GET",
    headers: { authorization: "Bearer {{secret.LIBRARY_KEY}}" },
    parameters: { type: "object", properties: { title: { type: "string" } }, required: ["title"] },
  },
  { type: "end_call" },
];

async function library() {
  await ask("PUT", "/v1/secrets/LIBRARY_KEY", { value: "a picture's secret" });
  const session = {
    instructions: INSTRUCTIONS,
    audio: { output: { voice: "joe" } },
    voiceforge: {
      greeting: { text: "City library, the question line. What would you like to know?" },
      variables: { town: "Whitby" },
      record: true,
    },
  };
  const config = { session, tools: TOOLS, afterwards: {} };
  return ask("POST", "/v1/agents", { name: "Question line", config });
}

async function pictures(page, name, size = "desk") {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.waitForTimeout(1500);
    await picture(page, `${name}-${size}-${colorScheme}`);
  }
}

async function open(page, path) {
  await page.goto(`${APP}/${path}`);
  await page.locator("h1").first().waitFor();
  await page.locator('[aria-label="Loading"], .animate-shimmer').first().waitFor({ state: "detached" });
}

test("pictures of every page", async (t) => {
  const agent = await library();
  for (const name of ["Website", "Phone line", "Reading room"]) {
    await ask("POST", "/v1/admin/keys", { name, scopes: ["realtime", "speech"] });
  }
  const hours = { session: { instructions: "You say when the library is open: from nine to six." } };
  await ask("POST", "/v1/agents", { name: "Opening hours", config: hours });
  const shelves = await ask("POST", "/v1/knowledge", { name: "Shelves and opening hours" });
  t.after(() => ask("DELETE", `/v1/knowledge/${shelves.id}`));
  const setup = { transport: "webrtc", agent: agent.id };
  const page = await app(t, { microphone: `${CLIPS}/questions.wav`, setup });

  await page.getByRole("button", { name: "Start talking" }).click();
  for (const number of [1, 2, 3]) {
    await page.getByText(`Answer ${number}`, { exact: true }).waitFor({ timeout: WAIT_MS });
  }
  await pictures(page, "playground");
  await page.getByRole("tab", { name: "Events" }).click();
  await pictures(page, "playground-events");
  await page.getByRole("button", { name: "Hang up" }).click();

  await open(page, "speech");
  await page.getByRole("button", { name: "Say it" }).click();
  await page.getByText("real time").waitFor({ timeout: WAIT_MS });
  await pictures(page, "speech");

  await open(page, "transcribe");
  await page.locator("input[type=file]").setInputFiles(`${CLIPS}/questions.wav`);
  await page.getByRole("button", { name: "Transcribe" }).click();
  await page.getByText("real time").waitFor({ timeout: WAIT_MS });
  await pictures(page, "transcribe");

  for (const path of ["agents", "agents/new", "knowledge", "sessions", "sessions/analytics", "voices", "keys", "usage", "system", "settings"]) {
    await open(page, path);
    await pictures(page, path.replace("/", "-"));
  }
  await open(page, `agents/${agent.id}`);
  await pictures(page, "agents-one");
  await open(page, "sessions");
  await page.locator("main li a").first().click();
  await page.getByText(/currency/i).first().waitFor();
  await pictures(page, "sessions-one");

  await page.setViewportSize({ width: 390, height: 844 });
  await open(page, "");
  await pictures(page, "playground", "phone");
});
