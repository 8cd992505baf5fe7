import captureUrl from "@/worklets/capture?worker&url";
import playbackUrl from "@/worklets/playback?worker&url";

interface Cut {
  item: string;
  playedMs: number;
}

type PlayerSays = { audible: boolean } | { cleared: number; cut: Cut[] };

const FULL_DB = -12;
const SILENT_DB = -60;

/**
 * The sound of one call: both sides' levels, the player of a WebSocket's audio, and a recording with
 * the caller on the left and the agent on the right.
 */
export class Sound {
  readonly caller: AnalyserNode;
  readonly agent: AnalyserNode;
  readonly both: MediaStreamAudioDestinationNode;
  private worklets: Promise<void> | null = null;
  private hearing = 0; // which microphone was asked for last
  private microphone: MediaStreamAudioSourceNode | null = null;
  private capture: AudioWorkletNode | null = null;
  private player: AudioWorkletNode | null = null;
  private remote: { source: MediaStreamAudioSourceNode; element: HTMLAudioElement } | null = null;
  private sink = ""; // the system's own
  private clears = new Map<number, (cut: Cut[]) => void>();
  private count = 0;

  private constructor(private readonly context: AudioContext) {
    this.caller = meter(context);
    this.agent = meter(context);
    this.both = context.createMediaStreamDestination();
    const sides = context.createChannelMerger(2);
    this.caller.connect(sides, 0, 0);
    this.agent.connect(sides, 0, 1);
    sides.connect(this.both);
  }

  /** Must be called while a click or a key is handled: browsers keep silent before. */
  static begin(): Sound {
    const context = new AudioContext({ latencyHint: "interactive" });
    void context.resume();
    return new Sound(context);
  }

  /** Let this microphone be seen and recorded, and `taken` have it in blocks of 20 ms at 24 kHz. */
  async hear(stream: MediaStream | null, taken?: (block: Float32Array) => void): Promise<void> {
    this.hearing += 1;
    const { hearing } = this;
    this.microphone?.disconnect();
    this.capture?.port.close();
    this.capture?.disconnect();
    this.microphone = this.capture = null;
    if (!stream) return;
    if (taken) await this.ready();
    if (hearing !== this.hearing) return;
    this.microphone = this.context.createMediaStreamSource(stream);
    this.microphone.connect(this.caller);
    if (!taken) return;
    this.capture = new AudioWorkletNode(this.context, "capture", { numberOfOutputs: 0 });
    this.capture.port.onmessage = ({ data }: MessageEvent<Float32Array>) => taken(data);
    this.microphone.connect(this.capture);
  }

  /** Play an item's samples, 24 kHz, behind those that wait. */
  async play(item: string, samples: Float32Array<ArrayBuffer>): Promise<void> {
    const player = this.player ?? (await this.openPlayer());
    player.port.postMessage({ push: samples, item }, [samples.buffer]);
  }

  /** Drop what waits to be played. Returns what that cut, and how much of it was heard. */
  async clear(): Promise<Cut[]> {
    const player = this.player;
    if (!player) return [];
    this.count += 1;
    const number = this.count;
    return new Promise((resolve) => {
      this.clears.set(number, resolve);
      player.port.postMessage({ clear: number });
    });
  }

  /** Called as the player begins to be heard, and stops. */
  onAudible: (is: boolean) => void = () => {};

  /** Let the other side's stream be heard, seen and recorded; null: no more. */
  playRemote(stream: MediaStream | null): void {
    this.remote?.source.disconnect();
    if (this.remote) this.remote.element.srcObject = null;
    this.remote = null;
    if (!stream) return;
    const element = new Audio(); // Chromium decodes a remote track only for an element that plays it
    element.srcObject = stream;
    if (this.sink) void element.setSinkId(this.sink).catch(() => {});
    void element.play().catch(() => {});
    const source = this.context.createMediaStreamSource(stream);
    source.connect(this.agent);
    this.remote = { source, element };
  }

  /** Let the agent be heard from this loudspeaker. Throws a `DOMException` if that cannot be. */
  async playInto(deviceId: string): Promise<void> {
    await this.context.setSinkId(deviceId);
    await this.remote?.element.setSinkId(deviceId);
    this.sink = deviceId;
  }

  close(): void {
    void this.hear(null);
    this.playRemote(null);
    void this.context.close();
  }

  /** What a WebSocket's sound needs; browsers have it on secure pages only. */
  private ready(): Promise<void> {
    const { audioWorklet } = this.context;
    if (!audioWorklet) {
      return Promise.reject(
        new Error("sound over a WebSocket needs a page from https or from localhost"),
      );
    }
    this.worklets ??= Promise.all(
      [captureUrl, playbackUrl].map((url) => audioWorklet.addModule(url)),
    ).then(() => undefined);
    return this.worklets;
  }

  private opening: Promise<AudioWorkletNode> | null = null;

  private openPlayer(): Promise<AudioWorkletNode> {
    this.opening ??= this.ready().then(() => {
      const player = new AudioWorkletNode(this.context, "playback", { outputChannelCount: [1] });
      player.port.onmessage = ({ data }: MessageEvent<PlayerSays>) => this.told(data);
      player.connect(this.agent);
      player.connect(this.context.destination);
      this.player = player;
      return player;
    });
    return this.opening;
  }

  private told(says: PlayerSays): void {
    if ("audible" in says) {
      this.onAudible(says.audible);
      return;
    }
    this.clears.get(says.cleared)?.(says.cut);
    this.clears.delete(says.cleared);
  }
}

function meter(context: AudioContext): AnalyserNode {
  const node = context.createAnalyser();
  node.fftSize = 1024;
  return node;
}

const samples = new Float32Array(1024);

/** How loud it is now: 0 below -60 dBFS, 1 from -12 dBFS on. */
export function levelOf(analyser: AnalyserNode): number {
  analyser.getFloatTimeDomainData(samples);
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  const db = 10 * Math.log10(power + 1e-12);
  return Math.max(0, Math.min(1, (db - SILENT_DB) / (FULL_DB - SILENT_DB)));
}
