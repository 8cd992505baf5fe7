import { onLeaving } from "@/api/leaving";
import { Store } from "@/store";
import type { Wanted } from "./spoken";
import type { Tape } from "./tape";

/** Something that was said, while this window is open. */
export interface Take {
  id: number;
  wanted: Wanted;
  tape: Tape;
  firstMs: number | null;
  tookMs: number | null;
}

const MOST = 12;

/** What was said in this window, latest first. */
export const takes = new Store<readonly Take[]>([]);

let made = 0;

export function begin(wanted: Wanted, tape: Tape): number {
  made += 1;
  const [...all] = takes.get();
  for (const old of all.splice(MOST - 1)) old.tape.close();
  takes.set([{ id: made, wanted, tape, firstMs: null, tookMs: null }, ...all]);
  return made;
}

export function note(id: number, part: Partial<Take>): void {
  takes.set(takes.get().map((take) => (take.id === id ? { ...take, ...part } : take)));
}

export function drop(id: number): void {
  for (const take of takes.get()) if (take.id === id) take.tape.close();
  takes.set(takes.get().filter((take) => take.id !== id));
}

onLeaving(() => {
  for (const { id } of takes.get()) drop(id);
});
