export interface Device {
  id: string;
  name: string;
}

const KINDS = { audioinput: "Microphone", audiooutput: "Loudspeaker" };

export type DeviceKind = keyof typeof KINDS;

const ALIASES = ["", "default", "communications"]; // the system's own once more, and the nameless

/** The devices there are. Before the first permission none can be told from another. */
export async function devicesOf(kind: DeviceKind): Promise<Device[]> {
  if (!navigator.mediaDevices) return [];
  const all = await navigator.mediaDevices.enumerateDevices();
  return all
    .filter((one) => one.kind === kind && !ALIASES.includes(one.deviceId))
    .map(({ deviceId, label }, index) => ({
      id: deviceId,
      name: label || `${KINDS[kind]} ${index + 1}`,
    }));
}

/** Be told as devices come and go. Returns how to be told no more. */
export function onDevices(changed: () => void): () => void {
  navigator.mediaDevices?.addEventListener("devicechange", changed);
  return () => navigator.mediaDevices?.removeEventListener("devicechange", changed);
}
