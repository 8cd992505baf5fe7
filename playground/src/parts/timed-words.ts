/** A word, and when it is heard, in seconds. */
export interface TimedWord {
  text: string;
  start: number;
  end: number;
}

/** The word that is heard at a time: the last one that has begun; -1 before the first. */
export function wordAt(words: readonly TimedWord[], atS: number): number {
  let [from, to] = [0, words.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((words[middle]?.start ?? 0) <= atS) from = middle + 1;
    else to = middle;
  }
  return from - 1;
}

/** Characters with their times become words, as the characters come. */
export class Words {
  readonly all: TimedWord[] = [];
  private open = false;

  add(characters: readonly string[], starts: readonly number[], ends: readonly number[]): void {
    characters.forEach((character, at) => {
      const [start, end] = [starts[at] ?? 0, ends[at] ?? 0];
      if (/\s/.test(character)) {
        this.open = false;
        return;
      }
      const last = this.all.at(-1);
      if (this.open && last) {
        this.all[this.all.length - 1] = { text: last.text + character, start: last.start, end };
      } else {
        this.all.push({ text: character, start, end });
      }
      this.open = true;
    });
  }
}
