import { LoaderCircle, Pause, Play } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "@/ui/button";
import { duration } from "./figures";
import type { Progress } from "./use-audio";
import { Waveform } from "./waveform";

interface Props extends Progress {
  peaks: readonly number[];
  /** More of it is to come. */
  coming?: boolean;
  now: () => number;
  play: () => void;
  pause: () => void;
  seek: (toS: number) => void;
  children?: ReactNode;
}

/** A sound that can be looked at, played, and jumped in. */
export function WavePlayer({ coming = false, play, pause, children, ...shown }: Props) {
  const { playing, atS, lengthS } = shown;
  return (
    <div className="flex items-center gap-3 sm:gap-4">
      <Button
        variant="primary"
        size="icon"
        className="rounded-full"
        aria-label={playing ? "Pause" : "Play"}
        onClick={playing ? pause : play}
      >
        {playing ? <Pause aria-hidden /> : <Play aria-hidden />}
      </Button>
      <Waveform {...shown} />
      <span className="figures flex items-center gap-2 whitespace-nowrap text-soft text-sm">
        {coming ? <LoaderCircle aria-hidden className="size-4 animate-spin" /> : null}
        {duration(atS * 1000)} / {duration(lengthS * 1000)}
      </span>
      {children}
    </div>
  );
}
