import { useEffect, useState } from "react";
import { isUnderWay } from "@/realtime/call-state";
import { type Device, microphones } from "@/realtime/microphone";
import { Field, Select } from "@/ui/field";
import { useStore } from "@/use-store";
import { call, change, setup } from "./current-call";

/** Which microphone; in a call the other one is heard at once. */
export function MicrophoneField() {
  const chosen = useStore(setup).microphone;
  const state = useStore(call.store);
  const devices = useDevices(state.microphone);
  const choose = (id: string | null) => {
    change({ microphone: id });
    if (isUnderWay(state) && state.microphone !== "off") void call.openMicrophone(id);
  };
  return (
    <Field label="Microphone">
      {(field) => (
        <Select
          {...field}
          value={chosen ?? ""}
          onChange={({ target }) => choose(target.value || null)}
        >
          <option value="">The system’s own</option>
          {devices.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </Select>
      )}
    </Field>
  );
}

/** The microphones there are, also as they come and go; they are named once one was opened. */
function useDevices(opened: string): Device[] {
  const [devices, setDevices] = useState<Device[]>([]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a permission that was given names them
  useEffect(() => {
    const look = () => void microphones().then(setDevices, () => setDevices([]));
    look();
    navigator.mediaDevices?.addEventListener("devicechange", look);
    return () => navigator.mediaDevices?.removeEventListener("devicechange", look);
  }, [opened]);
  return devices;
}
