import { useEffect, useRef, useState } from "react";
import { spoken, type Wanted } from "./spoken";
import { begin, drop, note } from "./takes";
import { Tape } from "./tape";

/** Have something said: heard from its first piece on. */
export function useTake() {
  const [error, setError] = useState<unknown>(null);
  const [pending, setPending] = useState(false);
  const [waiting, setWaiting] = useState(false); // for its first sound
  const stopping = useRef(new AbortController());
  useEffect(() => () => stopping.current.abort(), []);

  const say = async (wanted: Wanted) => {
    const stop = new AbortController();
    stopping.current = stop;
    setError(null);
    setPending(true);
    setWaiting(true);
    const began = performance.now();
    const tape = new Tape();
    let take: number | null = null;
    try {
      for await (const piece of spoken(wanted, stop.signal)) {
        tape.add(piece);
        if (take === null && tape.store.get().lengthS > 0) {
          take = begin(wanted, tape);
          note(take, { firstMs: performance.now() - began });
          tape.play(0);
          setWaiting(false);
        }
      }
      if (take !== null) note(take, { tookMs: performance.now() - began });
    } catch (failed) {
      // What was said until it was stopped stays.
      if (!stop.signal.aborted) {
        setError(failed);
        if (take !== null) drop(take);
      }
    }
    tape.end();
    setWaiting(false);
    setPending(false);
  };

  return { say, stop: () => stopping.current.abort(), pending, waiting, error };
}
