import { isOpen } from "@/realtime/call-state";
import type { Transport } from "@/realtime/link";
import { cn } from "@/ui/cn";
import { useStore } from "@/use-store";
import { call, change, setup } from "./current-call";

const TRANSPORTS: readonly { value: Transport; name: string; about: string }[] = [
  { value: "webrtc", name: "WebRTC", about: "Made for voice: rides over lost packets" },
  { value: "websocket", name: "WebSocket", about: "Gets through everywhere" },
];

/** Over which transport; in a call that which carries it, and the session moves over. */
export function TransportField() {
  const wanted = useStore(setup).transport;
  const state = useStore(call.store);
  const chosen = (isOpen(state) ? state.transport : null) ?? wanted;
  const choose = (transport: Transport) => {
    change({ transport });
    if (isOpen(state)) void call.switchTo(transport);
  };
  return (
    <fieldset className="flex flex-col gap-1.5">
      <legend className="mb-1.5 font-medium text-[0.8125rem]">Transport</legend>
      <div className="grid grid-cols-2 gap-2">
        {TRANSPORTS.map(({ value, name, about }) => (
          <label
            key={value}
            className={cn(
              "flex cursor-pointer flex-col gap-0.5 rounded-field border p-3 transition-[background,border-color] duration-150 has-focus-visible:outline-2 has-focus-visible:outline-royal-ink",
              chosen === value
                ? "border-royal-ink bg-royal-tint"
                : "border-edge bg-sunken hover:border-edge-strong",
            )}
          >
            <input
              type="radio"
              name="transport"
              className="sr-only"
              checked={chosen === value}
              onChange={() => choose(value)}
            />
            <span className="font-medium text-sm">{name}</span>
            <span className="text-soft text-xs leading-snug">{about}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
