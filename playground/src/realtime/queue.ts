/** What waits to be played, and how much of each item was: what a truncate tells the server. */

interface Block {
  item: string;
  samples: Float32Array;
  played: number;
}

export interface Position {
  item: string;
  samples: number;
}

export class Queue {
  private blocks: Block[] = [];
  private totals = new Map<string, number>();

  /** Whether nothing waits. */
  get empty(): boolean {
    return this.blocks.length === 0;
  }

  push(item: string, samples: Float32Array): void {
    if (samples.length > 0) this.blocks.push({ item, samples, played: 0 });
  }

  /** Fill `out` with what is next, and silence behind it. Returns how much was filled. */
  pull(out: Float32Array): number {
    let filled = 0;
    while (filled < out.length) {
      const block = this.blocks[0];
      if (!block) break;
      const part = block.samples.subarray(block.played, block.played + out.length - filled);
      out.set(part, filled);
      filled += part.length;
      block.played += part.length;
      this.totals.set(block.item, this.played(block.item) + part.length);
      if (block.played === block.samples.length) this.blocks.shift();
    }
    out.fill(0, filled);
    return filled;
  }

  /** How many samples of an item were played. */
  played(item: string): number {
    return this.totals.get(item) ?? 0;
  }

  /** Drop what waits. Returns, of each item that lost something, how much of it was played. */
  clear(): Position[] {
    const items = [...new Set(this.blocks.map(({ item }) => item))];
    this.blocks = [];
    return items.map((item) => ({ item, samples: this.played(item) }));
  }
}
