import { said } from "@/api/refusal";
import type { CallState } from "./call-state";
import { devicesOf, onDevices } from "./devices";
import { NoMicrophone, openMicrophone } from "./microphone";

/** Who is told of the caller's microphone. */
export interface MouthUser {
  microphoneIs(state: CallState["microphone"]): void;
  /** From now on this is what is heard. */
  speaksInto(stream: MediaStream): Promise<void>;
  warn(title: string, text: string): void;
  /** Whether a microphone that is opened waits for a button. */
  readonly waits: boolean;
}

/** The caller's side of a call: a microphone that is opened, muted, changed and unplugged. */
export class Mouth {
  stream: MediaStream | null = null;
  /** Which microphone is opened from now on; null: the system's own. */
  deviceId: string | null = null;
  private muted = false;
  private missed = false; // it was unplugged, and there has been no other
  private unwatch: (() => void) | null = null;
  private turn = 0; // what was begun before a close, or before another opening, is void

  constructor(private readonly user: MouthUser) {}

  /** Let the agent hear. Where that cannot be, the user is told, and the call goes on by typing. */
  async open(): Promise<void> {
    this.turn += 1;
    const { turn } = this;
    if (!this.stream) this.user.microphoneIs("asking");
    try {
      const stream = await this.opened();
      if (turn === this.turn) await this.use(stream);
      else stop(stream);
    } catch (error) {
      if (turn !== this.turn) return;
      if (!this.stream) this.user.microphoneIs("off");
      this.user.warn("No microphone", said(error));
    }
  }

  close(): void {
    this.turn += 1;
    this.unwatch?.();
    this.unwatch = null;
    this.missed = this.muted = false;
    stop(this.stream);
    this.stream = null;
  }

  /** Muted, silence is sent: the server's clock, and its ear for the end of a turn, go on. */
  mute(muted: boolean): void {
    this.muted = muted;
    const track = this.stream?.getAudioTracks()[0];
    if (!track) return;
    track.enabled = !muted;
    this.user.microphoneIs(muted ? "muted" : "on");
  }

  /** The one that is wanted; where it is not there any more, the system's own. */
  private async opened(): Promise<MediaStream> {
    try {
      return await openMicrophone(this.deviceId);
    } catch (error) {
      if (!(error instanceof NoMicrophone && error.gone && this.deviceId)) throw error;
      this.deviceId = null;
      this.user.warn("Another microphone", "The one that was chosen is not there any more.");
      return openMicrophone(null);
    }
  }

  private async use(stream: MediaStream): Promise<void> {
    stop(this.stream);
    this.stream = stream;
    this.missed = false;
    this.unwatch ??= onDevices(() => void this.look());
    stream.getAudioTracks()[0]?.addEventListener("ended", () => this.unplugged(stream));
    this.mute(this.muted || this.user.waits); // also the one that takes another's place
    await this.user.speaksInto(stream);
  }

  private unplugged(stream: MediaStream): void {
    if (this.stream !== stream) return;
    this.stream = null;
    this.deviceId = null;
    this.missed = true;
    this.user.warn("The microphone is gone", "It was unplugged, or taken away. Trying another…");
    void this.open();
  }

  /** One that is plugged in after that is welcome. */
  private async look(): Promise<void> {
    const some = (await devicesOf("audioinput")).length > 0;
    if (some && this.missed && !this.stream) await this.open();
  }
}

function stop(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
