const TAPS = 16; // each side: 60 dB below in the stop band with a Hann window, ample for speech

/**
 * From one rate to another, block by block, by a windowed sinc whose cut-off is the lower of the two
 * halves. Streams: the blocks' borders are not heard. Delays by 16 samples of the input.
 */
export class Resampler {
  private readonly step: number;
  private readonly cutoff: number;
  private readonly reach: number;
  private kept: Float32Array;
  private at: number;

  constructor(fromHz: number, toHz: number) {
    this.step = fromHz / toHz;
    this.cutoff = Math.min(1, toHz / fromHz);
    this.reach = Math.ceil(TAPS / this.cutoff);
    this.kept = new Float32Array(this.reach);
    this.at = this.reach;
  }

  /** What can be made of the input so far. */
  feed(block: Float32Array): Float32Array {
    if (this.step === 1) return block.slice();
    const input = new Float32Array(this.kept.length + block.length);
    input.set(this.kept);
    input.set(block, this.kept.length);
    const made: number[] = [];
    while (this.at + this.reach < input.length) {
      made.push(this.sampleAt(input, this.at));
      this.at += this.step;
    }
    const dropped = Math.max(0, Math.floor(this.at) - this.reach);
    this.kept = input.slice(dropped);
    this.at -= dropped;
    return Float32Array.from(made);
  }

  private sampleAt(input: Float32Array, at: number): number {
    let sum = 0;
    for (
      let index = Math.floor(at) - this.reach + 1;
      index <= Math.floor(at) + this.reach;
      index += 1
    ) {
      sum += (input[index] ?? 0) * this.weight(index - at);
    }
    return sum;
  }

  private weight(distance: number): number {
    if (Math.abs(distance) >= this.reach) return 0;
    const turn = Math.PI * distance * this.cutoff;
    const sinc = turn === 0 ? 1 : Math.sin(turn) / turn;
    return this.cutoff * sinc * 0.5 * (1 + Math.cos((Math.PI * distance) / this.reach));
  }
}
