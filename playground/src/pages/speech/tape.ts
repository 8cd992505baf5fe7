import { Peaks } from "@/parts/peaks";
import { Words } from "@/parts/timed-words";
import type { Progress } from "@/parts/use-audio";
import { Store } from "@/store";
import { type Piece, RATE_HZ, wavOf } from "./spoken";

const AHEAD_S = 5; // what is given to the browser before it is heard; timers of hidden tabs are slow
const SOON_S = 0.05;
const LOOK_MS = 200;

let shared: AudioContext | null = null;

/** What plays all tapes. Made and woken by a click, without which browsers keep it silent. */
function player(): AudioContext {
  shared ??= new AudioContext({ sampleRate: RATE_HZ });
  void shared.resume();
  return shared;
}

interface TapeState extends Progress {
  /** All of it is here. */
  whole: boolean;
}

interface Kept {
  atS: number;
  samples: Int16Array<ArrayBuffer>;
}

/** Speech that is played while it is made, and again from anywhere. */
export class Tape {
  readonly store = new Store<TapeState>({ playing: false, atS: 0, lengthS: 0, whole: false });
  readonly peaks = new Peaks(RATE_HZ);
  readonly words = new Words();
  private readonly pieces: Kept[] = [];
  private readonly context = player();
  private sounding = new Set<AudioBufferSourceNode>();
  private zero = 0; // the time of the context at which the tape's beginning is, or would have been
  private next = 0; // the piece that the browser is given next
  private restsAtS = 0;
  private timer = 0;

  add({ samples, alignment }: Piece): void {
    if (alignment) {
      const { characters, character_start_times_seconds: starts } = alignment;
      this.words.add(characters, starts, alignment.character_end_times_seconds);
    }
    if (samples.length) {
      this.peaks.add(samples, 32_768);
      this.pieces.push({ atS: this.lengthS, samples });
    }
    this.tell({ lengthS: this.lengthS });
    this.give();
  }

  end(): void {
    this.tell({ whole: true });
  }

  /** As a file. */
  wav(): Blob {
    return wavOf(this.pieces.map(({ samples }) => samples));
  }

  /** Where it is, in seconds. */
  now = (): number => {
    const { playing, lengthS } = this.store.get();
    if (!playing) return this.restsAtS;
    return Math.max(0, Math.min(this.context.currentTime - this.zero, lengthS));
  };

  play(fromS: number | null = null): void {
    const { lengthS, whole } = this.store.get();
    let from = fromS ?? this.now();
    if (fromS === null && whole && from >= lengthS - SOON_S) from = 0;
    this.silence();
    void this.context.resume();
    this.zero = this.context.currentTime + SOON_S - from;
    this.next = this.pieces.findIndex(({ atS, samples }) => atS + samples.length / RATE_HZ > from);
    if (this.next < 0) this.next = this.pieces.length;
    this.restsAtS = from;
    this.tell({ playing: true, atS: from });
    this.give();
    this.timer = window.setInterval(() => this.look(), LOOK_MS);
  }

  pause(): void {
    this.restsAtS = this.now();
    this.silence();
    this.tell({ playing: false, atS: this.restsAtS });
  }

  seek(toS: number): void {
    if (this.store.get().playing) this.play(toS);
    else {
      this.restsAtS = toS;
      this.tell({ atS: toS });
    }
  }

  /** Nobody will hear it again. */
  close(): void {
    this.silence();
    this.tell({ playing: false });
  }

  private look(): void {
    const { whole, lengthS } = this.store.get();
    const at = this.now();
    if (whole && at >= lengthS) this.pause();
    else {
      this.tell({ atS: at });
      this.give();
    }
  }

  /** Give the browser what it plays soon. */
  private give(): void {
    const { context } = this;
    if (!this.store.get().playing) return;
    for (; this.next < this.pieces.length; this.next += 1) {
      const { atS, samples } = this.pieces[this.next] as Kept;
      if (this.zero + atS > context.currentTime + AHEAD_S) return;
      const buffer = context.createBuffer(1, samples.length, RATE_HZ);
      buffer.copyToChannel(
        Float32Array.from(samples, (sample) => sample / 32_768),
        0,
      );
      const source = context.createBufferSource();
      source.buffer = buffer;
      source.connect(context.destination);
      source.onended = () => this.sounding.delete(source);
      this.sounding.add(source);
      const skipS = Math.max(0, this.restsAtS - atS); // only the first begins in its middle
      const late = this.zero + atS + skipS < context.currentTime;
      // What was made too late is heard late, and the rest moves with it.
      if (late) this.zero = context.currentTime + SOON_S - atS - skipS;
      source.start(this.zero + atS + skipS, skipS);
    }
  }

  private silence(): void {
    window.clearInterval(this.timer);
    for (const source of this.sounding) {
      source.onended = null;
      source.stop();
    }
    this.sounding.clear();
  }

  private tell(part: Partial<TapeState>): void {
    this.store.set({ ...this.store.get(), ...part });
  }

  private get lengthS(): number {
    const last = this.pieces.at(-1);
    return last ? last.atS + last.samples.length / RATE_HZ : 0;
  }
}
