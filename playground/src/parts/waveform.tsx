import { useEffect, useRef } from "react";
import { duration } from "./figures";
import { bars } from "./peaks";

interface Props {
  peaks: readonly number[];
  playing: boolean;
  atS: number;
  lengthS: number;
  /** Where it is this very moment. */
  now: () => number;
  seek: (toS: number) => void;
}

const BAR_PX = 4; // with the gap behind it
const THIN = 0.04; // of the height: silence is a line of dots

/** A sound as it looks; what was heard is coloured. It is a slider, too. */
export function Waveform({ peaks, playing, atS, lengthS, now, seek }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const shown = useRef({ peaks, lengthS, now });
  shown.current = { peaks, lengthS, now };
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is drawn changes with these
  useEffect(() => {
    let frame = 0;
    const look = () => {
      const element = canvas.current;
      const { peaks, lengthS, now } = shown.current;
      if (element) draw(element, peaks, lengthS > 0 ? now() / lengthS : 0);
      if (playing) frame = requestAnimationFrame(look);
    };
    look();
    window.addEventListener("resize", look);
    return () => {
      window.removeEventListener("resize", look);
      cancelAnimationFrame(frame);
    };
  }, [playing, atS, lengthS, peaks.length]);
  return (
    <div className="relative h-20 min-w-0 flex-1 rounded-field has-focus-visible:outline-2 has-focus-visible:outline-royal-ink">
      <canvas ref={canvas} aria-hidden className="size-full text-royal-ink" />
      <input
        type="range"
        aria-label="Position"
        aria-valuetext={`${duration(atS * 1000)} of ${duration(lengthS * 1000)}`}
        min={0}
        max={lengthS || 1}
        step={0.1}
        value={Math.min(atS, lengthS || 1)}
        onChange={({ target }) => seek(Number(target.value))}
        className="absolute inset-0 size-full cursor-pointer opacity-0"
      />
    </div>
  );
}

function draw(canvas: HTMLCanvasElement, peaks: readonly number[], share: number) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const paint = canvas.getContext("2d");
  if (!paint || width === 0) return;
  const scale = window.devicePixelRatio || 1;
  canvas.width = width * scale;
  canvas.height = height * scale;
  paint.scale(scale, scale);
  paint.fillStyle = getComputedStyle(canvas).color;
  const count = Math.floor(width / BAR_PX);
  bars(peaks, count).forEach((peak, bar) => {
    const tall = Math.max(THIN, peak) * height;
    paint.globalAlpha = (bar + 0.5) / count <= share ? 1 : 0.3;
    paint.beginPath();
    paint.roundRect(bar * BAR_PX, (height - tall) / 2, BAR_PX - 1.5, tall, 1.25);
    paint.fill();
  });
}
