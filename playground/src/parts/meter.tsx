import { useEffect, useRef } from "react";
import { cn } from "@/ui/cn";

interface Props {
  label: string;
  tone: "caller" | "agent";
  level: () => number;
}

/** How loud a side is now. Moves the DOM by hand, sixty times a second. */
export function Meter({ label, tone, level }: Props) {
  const bar = useRef<HTMLSpanElement>(null);
  const read = useRef(level);
  read.current = level;
  useEffect(() => {
    let frame = 0;
    let shown = 0;
    const draw = () => {
      shown = Math.max(read.current(), shown * 0.9);
      if (bar.current) bar.current.style.transform = `scaleX(${shown.toFixed(3)})`;
      frame = requestAnimationFrame(draw);
    };
    frame = requestAnimationFrame(draw);
    return () => cancelAnimationFrame(frame);
  }, []);
  return (
    <div className="flex items-center gap-2 text-soft text-xs">
      <span>{label}</span>
      <span aria-hidden className="h-1.5 w-24 overflow-hidden rounded-full bg-sunken">
        <span
          ref={bar}
          style={{ transform: "scaleX(0)" }}
          className={cn(
            "block h-full w-full origin-left rounded-full",
            tone === "caller" ? "bg-caller" : "bg-royal-ink",
          )}
        />
      </span>
    </div>
  );
}
