import { devicesOf, onDevices } from "./devices";

/** Whoever plays what the caller hears; the empty string is the system's own loudspeaker. */
export interface Player {
  playInto(deviceId: string): Promise<void>;
}

/** The caller's loudspeaker: chosen, taken away, and plugged in again. */
export class Ear {
  private wanted: string | null = null;
  private used = "";
  private closed = false;
  private readonly unwatch = onDevices(() => void this.look());

  constructor(
    private readonly player: Player,
    private readonly warn: (title: string, text: string) => void,
  ) {}

  /** Hear the agent there from now on; null: from the system's own. */
  choose(deviceId: string | null): Promise<void> {
    this.wanted = deviceId;
    return this.look();
  }

  /** See whether the one that is wanted is there. */
  async look(): Promise<void> {
    const { wanted } = this;
    const there = (await devicesOf("audiooutput")).some(({ id }) => id === wanted);
    const next = wanted !== null && there ? wanted : "";
    if (this.closed || wanted !== this.wanted || next === this.used) return;
    const taken = next === "" && wanted !== null;
    const { used } = this;
    this.used = next;
    try {
      await this.player.playInto(next);
      if (taken) this.warn("The loudspeaker is gone", "You hear the system’s own meanwhile.");
    } catch {
      this.used = used;
      this.warn("No other loudspeaker", "The one that was chosen gives no sound: choose another.");
    }
  }

  close(): void {
    this.closed = true;
    this.unwatch();
  }
}

/** Whether the browser lets a page choose. */
export function canChooseLoudspeaker(): boolean {
  const players = [globalThis.AudioContext, globalThis.HTMLMediaElement];
  return players.every((player) => player !== undefined && "setSinkId" in player.prototype);
}
