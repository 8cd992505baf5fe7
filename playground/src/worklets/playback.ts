import { Queue } from "../realtime/queue";
import { Resampler } from "../realtime/resampler";

const IN_HZ = 24_000;
const HEAD_START_S = 0.06; // the server is 80 ms ahead: as much as that the network may hesitate
const GAP_S = 0.25; // silence for so long is the end, not a hiccup

type Asked = { push: Float32Array; item: string } | { clear: number };

/** The agent's voice: plays what it is given, and tells what it played. */
class Playback extends AudioWorkletProcessor {
  private readonly queue = new Queue();
  private resampler = new Resampler(IN_HZ, sampleRate);
  private audible = false;
  private startsIn = 0;
  private dry = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<Asked>) => {
      if ("push" in data) this.push(data.item, data.push);
      else this.clear(data.clear);
    };
  }

  private push(item: string, samples: Float32Array) {
    if (this.queue.empty && !this.audible) this.startsIn = HEAD_START_S * sampleRate;
    this.queue.push(item, this.resampler.feed(samples));
  }

  private clear(asked: number) {
    const cut = this.queue.clear().map(({ item, samples }) => ({
      item,
      playedMs: Math.floor((samples * 1000) / sampleRate),
    }));
    this.resampler = new Resampler(IN_HZ, sampleRate);
    this.port.postMessage({ cleared: asked, cut });
    this.tell(false);
  }

  private tell(audible: boolean) {
    if (audible === this.audible) return;
    this.audible = audible;
    this.port.postMessage({ audible });
  }

  process(_: Float32Array[][], outputs: Float32Array[][]): boolean {
    const out = outputs[0]?.[0];
    if (!out) return true;
    if (this.startsIn > 0 && !this.audible) {
      this.startsIn -= out.length;
      return true;
    }
    const filled = this.queue.pull(out);
    this.dry = filled > 0 ? 0 : this.dry + out.length;
    if (filled > 0) this.tell(true);
    else if (this.dry > GAP_S * sampleRate) this.tell(false);
    return true;
  }
}

registerProcessor("playback", Playback);
