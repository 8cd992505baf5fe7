/** How loud a sound is, piece by piece, to be drawn. */

const PEAKS_PER_S = 50;

/** The loudest sample (0 to 1) of each fiftieth of a second, as the sound comes. */
export class Peaks {
  readonly values: number[] = [];
  private readonly each: number;
  private loudest = 0;
  private seen = 0;

  constructor(rateHz: number) {
    this.each = rateHz / PEAKS_PER_S;
  }

  /** `scale`: the value of a full sample. */
  add(samples: ArrayLike<number>, scale = 1): void {
    for (let at = 0; at < samples.length; at += 1) {
      const value = Math.abs(samples[at] ?? 0) / scale;
      if (value > this.loudest) this.loudest = value;
      this.seen += 1;
      if (this.seen >= this.each * (this.values.length + 1)) {
        this.values.push(Math.min(1, this.loudest));
        this.loudest = 0;
      }
    }
  }
}

/** As many bars as fit, each as high as the loudest peak that it stands for. */
export function bars(peaks: readonly number[], count: number): number[] {
  return Array.from({ length: count }, (_, bar) => {
    const from = Math.floor((bar * peaks.length) / count);
    const to = Math.max(from + 1, Math.floor(((bar + 1) * peaks.length) / count));
    let loudest = 0;
    for (let at = from; at < to; at += 1) loudest = Math.max(loudest, peaks[at] ?? 0);
    return loudest;
  });
}
