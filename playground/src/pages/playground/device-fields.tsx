import { useEffect, useState } from "react";
import { isUnderWay } from "@/realtime/call-state";
import { type Device, type DeviceKind, devicesOf, onDevices } from "@/realtime/devices";
import { canChooseLoudspeaker } from "@/realtime/ear";
import { Field, Select } from "@/ui/field";
import { useStore } from "@/use-store";
import { call, change, setup } from "./current-call";

/** Which microphone; in a call the other one is heard at once. */
export function MicrophoneField() {
  const state = useStore(call.store);
  const choose = (id: string | null) => {
    change({ microphone: id });
    if (isUnderWay(state) && state.microphone !== "off") void call.openMicrophone(id);
  };
  const chosen = useStore(setup).microphone;
  return <DeviceField label="Microphone" kind="audioinput" chosen={chosen} choose={choose} />;
}

/** From where the agent is heard, also while it speaks; nothing where the browser decides that. */
export function LoudspeakerField() {
  const chosen = useStore(setup).loudspeaker;
  if (!canChooseLoudspeaker()) return null;
  const choose = (id: string | null) => {
    change({ loudspeaker: id });
    void call.hearFrom(id);
  };
  return <DeviceField label="Loudspeaker" kind="audiooutput" chosen={chosen} choose={choose} />;
}

interface DeviceFieldProps {
  label: string;
  kind: DeviceKind;
  /** Null: the system's own. */
  chosen: string | null;
  choose: (id: string | null) => void;
}

function DeviceField({ label, kind, chosen, choose }: DeviceFieldProps) {
  const devices = useDevices(kind);
  return (
    <Field label={label}>
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
          {chosen && !devices.some(({ id }) => id === chosen) ? (
            <option value={chosen}>The one of last time</option>
          ) : null}
        </Select>
      )}
    </Field>
  );
}

/** The devices there are, also as they come and go; they are known once a microphone was opened. */
function useDevices(kind: DeviceKind): Device[] {
  const [devices, setDevices] = useState<Device[]>([]);
  const { microphone } = useStore(call.store);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a permission that was given names them
  useEffect(() => {
    const look = () => void devicesOf(kind).then(setDevices, () => setDevices([]));
    look();
    return onDevices(look);
  }, [kind, microphone]);
  return devices;
}
