import { onLeaving } from "@/api/leaving";
import type { Transcription } from "@/api/transcription";
import { Store } from "@/store";

/** What was transcribed in this window. */
export interface Result {
  id: number;
  file: File;
  model: string;
  transcription: Transcription;
  tookMs: number;
}

const MOST = 12;

/** Latest first. */
export const results = new Store<readonly Result[]>([]);

let made = 0;

export function keep(result: Omit<Result, "id">): void {
  made += 1;
  results.set([{ id: made, ...result }, ...results.get()].slice(0, MOST));
}

export function drop(id: number): void {
  results.set(results.get().filter((result) => result.id !== id));
}

onLeaving(() => results.set([]));
