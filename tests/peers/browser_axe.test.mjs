// Who is kept out of the app's pages: what axe finds, in light and dark, on a desk and on a phone, with
// pictures in SCREENSHOTS if that is given; and whether keys alone reach everything.

import assert from "node:assert/strict";
import { test } from "node:test";
import { APP, app, barriers, complained, picture } from "./browser.mjs";

const PAGES = [
  ...["", "agents", "agents/new", "knowledge", "sessions", "sessions/analytics", "speech", "transcribe", "voices"],
  ...["keys", "usage", "system", "settings"],
];
const SIZES = { desk: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };

test.afterEach(() => assert.deepEqual(complained(), []));

for (const colorScheme of ["light", "dark"]) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    test(`nobody is kept out of any page: ${colorScheme}, ${size}`, async (t) => {
      const context = { viewport, colorScheme, reducedMotion: "reduce" };
      const page = await app(t, { context });
      for (const path of PAGES) {
        await page.goto(`${APP}/${path}`);
        await page.locator("h1").first().waitFor();
        await page.locator('[aria-label="Loading"], .animate-shimmer').first().waitFor({ state: "detached" });
        const name = `${path.replace("/", "-") || "playground"}-${size}-${colorScheme}`;
        await picture(page, name);
        assert.deepEqual(await barriers(page), [], name);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
        assert.ok(!wide, `${name} is wider than its window`);
      }
    });
  }
}

test("the pages are reached by keys alone", async (t) => {
  const page = await app(t);
  await page.locator("main#main:focus").waitFor(); // behind the sign-in one is at the content
  await page.reload();
  await page.locator("main#main").waitFor();
  await page.keyboard.press("Tab");
  await page.locator("a:focus").getByText("To the content").waitFor();
  const reached = new Set();
  for (let press = 0; press < 60; press += 1) {
    await page.keyboard.press("Tab");
    const name = await page.evaluate(() => {
      const at = document.activeElement;
      return at?.getAttribute("aria-label") ?? at?.textContent?.trim() ?? "";
    });
    reached.add(name);
  }
  for (const name of ["Agents", "Sessions", "Theme", "Account", "Start talking", "Message"]) {
    assert.ok(reached.has(name), `${name} is not reached: ${[...reached].join(" | ")}`);
  }
});
