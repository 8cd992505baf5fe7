import { vi } from "vitest";

/** The browser's devices, which are plugged in and out by the test. */
export function plugs() {
  let all: Partial<MediaDeviceInfo>[] = [];
  const devices = Object.assign(new EventTarget(), { enumerateDevices: async () => all });
  vi.stubGlobal("navigator", { mediaDevices: devices });
  return {
    are(...now: Partial<MediaDeviceInfo>[]) {
      all = now;
      devices.dispatchEvent(new Event("devicechange"));
    },
  };
}
