import { Download, LoaderCircle, Pause, Play } from "lucide-react";
import type { CSSProperties, ReactNode } from "react";
import { Button } from "@/ui/button";
import { duration } from "./figures";
import type { Progress } from "./use-audio";

interface Props extends Progress {
  waiting?: boolean;
  play: () => void;
  pause: () => void;
  seek: (toS: number) => void;
  download?: () => void;
  /** What stands above the track. */
  marks?: ReactNode;
}

/** Play, pause, jump, save. */
export function PlayerBar({ waiting = false, playing, atS, lengthS, marks, ...acts }: Props) {
  const share = lengthS > 0 ? Math.min(1, atS / lengthS) : 0;
  return (
    <div className="flex items-center gap-3 sm:gap-4">
      <Button
        variant="primary"
        size="icon"
        className="rounded-full"
        aria-label={playing ? "Pause" : "Play"}
        disabled={waiting}
        onClick={playing ? acts.pause : acts.play}
      >
        <Icon playing={playing} waiting={waiting} />
      </Button>
      <div className="relative flex h-6 min-w-0 flex-1 items-center">
        {marks}
        <input
          type="range"
          aria-label="Position"
          aria-valuetext={`${duration(atS * 1000)} of ${duration(lengthS * 1000)}`}
          min={0}
          max={lengthS || 1}
          step={0.1}
          value={Math.min(atS, lengthS || 1)}
          onChange={({ target }) => acts.seek(Number(target.value))}
          className="slider"
          style={{ "--share": `${share * 100}%` } as CSSProperties}
        />
      </div>
      <span className="figures whitespace-nowrap text-soft text-sm">
        {duration(atS * 1000)} / {duration(lengthS * 1000)}
      </span>
      {acts.download ? (
        <Button variant="quiet" size="icon" aria-label="Download" onClick={acts.download}>
          <Download aria-hidden />
        </Button>
      ) : null}
    </div>
  );
}

function Icon({ playing, waiting }: { playing: boolean; waiting: boolean }) {
  if (waiting) return <LoaderCircle aria-hidden className="animate-spin" />;
  return playing ? <Pause aria-hidden /> : <Play aria-hidden />;
}
