/** What a chart is given. */

export interface Series {
  name: string;
  /** One of the theme's, such as var(--series-1). */
  color: string;
  as: "bar" | "area" | "line";
  /** Drawn as what was prepared and dropped is, everywhere. */
  hatched?: boolean;
}

/** A place on the horizontal axis, and the value of each series there; null where none is known. */
export interface Row {
  x: string | number;
  values: readonly (number | null)[];
}

/** A line across: at a value (`y`), or at a place (`x`). */
export interface Mark {
  x?: number;
  y?: number;
  name: string;
  color: string;
}

const COLORS = [1, 2, 3, 4, 5].map((number) => `var(--series-${number})`);

/** How many kinds can be told apart; what is beyond them belongs together as the rest. */
export const MOST_KINDS = COLORS.length;

export const REST = "var(--series-rest)";

export function colorOf(place: number): string {
  return COLORS[place] ?? REST;
}

/** Every nth of them, the last one included, so that there are no more than `most`. */
export function thinned<T>(all: readonly T[], most: number): T[] {
  const every = Math.ceil(all.length / most);
  return all.filter((_, place) => (all.length - 1 - place) % every === 0);
}
