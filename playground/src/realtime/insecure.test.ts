import { expect, test, vi } from "vitest";
import { Sound } from "./sound";

class Node {
  fftSize = 0;
  connect() {}
  disconnect() {}
}

/** As browsers have it on pages that are not from https: without worklets. */
class InsecureContext {
  resume = async () => {};
  createAnalyser = () => new Node();
  createChannelMerger = () => new Node();
  createMediaStreamDestination = () => new Node();
  createMediaStreamSource = () => new Node();
}

test("where a page is not secure, a call's sound needs WebRTC, and says so", async () => {
  vi.stubGlobal("AudioContext", InsecureContext);
  const sound = Sound.begin();
  const stream = {} as MediaStream;
  await expect(sound.hear(stream)).resolves.toBeUndefined();
  await expect(sound.hear(stream, () => {})).rejects.toThrow("https");
  await expect(sound.play("item", new Float32Array(1))).rejects.toThrow("https");
  vi.unstubAllGlobals();
});
