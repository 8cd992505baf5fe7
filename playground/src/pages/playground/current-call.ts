import { onLeaving } from "@/api/leaving";
import { Call } from "@/realtime/call";
import { forgotten, remember, remembered, type Setup } from "@/realtime/setup";
import { Store } from "@/store";

/** The one call of this window: it goes on while other pages are looked at. */
export const call = new Call();

/** What the next call begins with, and what the one that is under way uses. */
export const setup = new Store<Setup>(remembered());

/** Change some of it. */
export function change(part: Partial<Setup>): void {
  setup.set({ ...setup.get(), ...part });
  remember(setup.get());
}

onLeaving((deliberate) => {
  call.forgetAll();
  if (deliberate) setup.set(forgotten());
});
