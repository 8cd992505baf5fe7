import { memo, useEffect, useRef } from "react";
import { cn } from "@/ui/cn";
import { type TimedWord, wordAt } from "./timed-words";

interface Props {
  words: readonly TimedWord[];
  playing: boolean;
  atS: number;
  now: () => number;
  /** Play from a word on. */
  playFrom: (atS: number) => void;
  className?: string;
}

/** Words that light up as they are heard, and play from there when they are pressed. */
export function SpokenWords({ words, playing, atS, now, playFrom, className }: Props) {
  const list = useRef<HTMLParagraphElement>(null);
  const shown = useRef({ words, now });
  shown.current = { words, now };
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is lit changes with these
  useEffect(() => {
    let frame = 0;
    let lit: Element | undefined;
    const look = () => {
      const { words, now } = shown.current;
      const next = list.current?.children[wordAt(words, now())];
      if (next !== lit) {
        lit?.removeAttribute("data-lit");
        next?.setAttribute("data-lit", "");
        lit = next;
      }
      if (playing) frame = requestAnimationFrame(look);
    };
    look();
    return () => {
      cancelAnimationFrame(frame);
      lit?.removeAttribute("data-lit");
    };
  }, [playing, atS, words.length]);
  return (
    <p ref={list} className={cn("leading-loose", className)}>
      <All words={words} end={`${words.length} ${words.at(-1)?.text}`} playFrom={playFrom} />
    </p>
  );
}

interface AllProps extends Pick<Props, "words" | "playFrom"> {
  /** Another one where the list has grown, which it does in place. */
  end: string;
}

const All = memo(
  function All({ words, playFrom }: AllProps) {
    // Not stops of the tab key, since there are hundreds: keys move on the waveform.
    return words.map(({ text, start }, at) => (
      <button
        // biome-ignore lint/suspicious/noArrayIndexKey: words only come behind the others
        key={at}
        type="button"
        tabIndex={-1}
        onClick={() => playFrom(start)}
        className="mr-[0.3em] rounded-md px-0.5 text-left hover:bg-royal-tint data-lit:bg-royal-tint data-lit:text-royal-ink"
      >
        {text}
      </button>
    ));
  },
  (before, after) => before.words === after.words && before.end === after.end,
);
