import { Resampler } from "../realtime/resampler";

const OUT_HZ = 24_000;
const BLOCK = 480; // 20 ms

/** The microphone, as blocks of 20 ms at 24 kHz. */
class Capture extends AudioWorkletProcessor {
  private readonly resampler = new Resampler(sampleRate, OUT_HZ);
  private waiting: number[] = [];

  process(inputs: Float32Array[][]): boolean {
    const channel = inputs[0]?.[0];
    if (channel) this.waiting.push(...this.resampler.feed(channel));
    while (this.waiting.length >= BLOCK) {
      const block = Float32Array.from(this.waiting.splice(0, BLOCK));
      this.port.postMessage(block, [block.buffer]);
    }
    return true;
  }
}

registerProcessor("capture", Capture);
