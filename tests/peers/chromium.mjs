// Debian's Chromium, with a microphone that plays a file.

import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
  "--allow-loopback-in-peer-connection",
];

/** Where Chromium is: CHROMIUM names it, else the usual places are looked at. */
export function executable() {
  const found = process.env.CHROMIUM ?? PLACES.find((place) => existsSync(place));
  if (!found) throw new Error("there is no Chromium (Debian: apt-get install chromium)");
  return found;
}

/**
 * A running Chromium. `microphone`: a 16-bit WAV file of 48 kHz, mono, which is played from its
 * beginning when the microphone is opened, and again from there; without it the device beeps.
 * `permission: false` leaves the question for the microphone open, as for a person.
 */
export async function launch({ microphone, permission = true, flags = [] } = {}) {
  const own = ["--use-fake-device-for-media-stream", ...flags];
  if (permission) own.push("--use-fake-ui-for-media-stream");
  if (microphone) own.push(`--use-file-for-fake-audio-capture=${microphone}`);
  return chromium.launch({ executablePath: executable(), args: [...FLAGS, ...own] });
}
