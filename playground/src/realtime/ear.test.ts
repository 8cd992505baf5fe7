import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { plugs } from "@/test-devices";
import { devicesOf } from "./devices";
import { Ear } from "./ear";

const DESK = { kind: "audiooutput", deviceId: "desk", label: "Desk" } as const;
const HEADSET = { kind: "audiooutput", deviceId: "headset", label: "" } as const;

const playInto = vi.fn(async (_: string) => {});
const warn = vi.fn();
let devices: ReturnType<typeof plugs>;

beforeEach(() => {
  devices = plugs();
  vi.clearAllMocks();
});

afterEach(() => vi.unstubAllGlobals());

const settled = () => new Promise((resolve) => setTimeout(resolve));

test("the one that is wanted is heard, taken away, and heard again", async () => {
  devices.are(DESK, HEADSET);
  const ear = new Ear({ playInto }, warn);
  await ear.choose("headset");
  devices.are(DESK);
  await settled();
  expect(warn.mock.calls.map(([title]) => title)).toEqual(["The loudspeaker is gone"]);
  devices.are(DESK, HEADSET);
  await settled();
  expect(playInto.mock.calls.flat()).toEqual(["headset", "", "headset"]);
});

test("one that is not known yet is waited for without a word", async () => {
  devices.are({ kind: "audiooutput", deviceId: "", label: "" }); // before the first permission
  const ear = new Ear({ playInto }, warn);
  await ear.choose("headset");
  expect(playInto).not.toHaveBeenCalled();
  devices.are(HEADSET);
  await settled();
  expect(playInto.mock.calls.flat()).toEqual(["headset"]);
  expect(warn).not.toHaveBeenCalled();
});

test("one that gives no sound is told, and the system's own stays", async () => {
  devices.are(HEADSET);
  playInto.mockRejectedValueOnce(new DOMException("", "AbortError"));
  await new Ear({ playInto }, warn).choose("headset");
  expect(warn.mock.calls.map(([title]) => title)).toEqual(["No other loudspeaker"]);
});

test("after the call nothing is changed any more", async () => {
  const ear = new Ear({ playInto }, warn);
  await ear.choose("headset");
  ear.close();
  devices.are(HEADSET);
  await settled();
  expect(playInto).not.toHaveBeenCalled();
});

test("devices have names, and the system's own is not told twice", async () => {
  devices.are({ kind: "audiooutput", deviceId: "default", label: "Default" }, DESK, HEADSET);
  expect(await devicesOf("audiooutput")).toEqual([
    { id: "desk", name: "Desk" },
    { id: "headset", name: "Loudspeaker 2" },
  ]);
});
