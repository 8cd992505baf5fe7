import { Download, LoaderCircle, Pause, Play } from "lucide-react";
import { forwardRef, useEffect, useImperativeHandle, useRef, useState } from "react";
import { refusalOf, said, unreachable } from "@/api/refusal";
import { lasted, type Record, recordingOf } from "@/api/sessions";
import { duration } from "@/parts/figures";
import { save } from "@/parts/save";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { cn } from "@/ui/cn";
import { Notice } from "@/ui/notice";

export interface PlayerHandle {
  /** Play from here, in ms after the session's beginning. */
  playFrom: (ms: number) => void;
}

/** How it sounded: the caller on the left, the agent on the right. Turns are marked. */
export const Player = forwardRef<PlayerHandle, { record: Record }>(function Player(
  { record },
  ref,
) {
  const { audio, load, progress, waiting, error } = usePlayer(record);
  const { playing, atS } = progress;
  const lengthS = progress.lengthS || lasted(record) / 1000;

  const go = async (toS: number | null) => {
    const element = await load();
    if (!element) return;
    if (toS !== null) element.currentTime = toS;
    await element.play();
  };
  useImperativeHandle(ref, () => ({ playFrom: (ms) => void go(ms / 1000) }));

  if (error) {
    return (
      <Notice kind="warn" title="The recording cannot be played">
        {error}
      </Notice>
    );
  }
  return (
    <Card aria-label="Recording" className="flex items-center gap-3 p-3 sm:gap-4 sm:p-4">
      {/* biome-ignore lint/a11y/useMediaCaption: its transcript stands right below */}
      <audio ref={audio} />
      <Button
        variant="primary"
        size="icon"
        className="rounded-full"
        aria-label={playing ? "Pause" : "Play"}
        disabled={waiting}
        onClick={() => void (playing ? audio.current?.pause() : go(null))}
      >
        <Icon playing={playing} waiting={waiting} />
      </Button>
      <div className="relative flex h-6 min-w-0 flex-1 items-center">
        {record.turns.map(({ number, kind, at_ms }) => (
          <span
            key={number}
            aria-hidden
            className={cn(
              "pointer-events-none absolute top-0 h-1.5 w-1.5 rounded-full",
              kind === "caller" ? "bg-caller" : "bg-royal-ink",
            )}
            style={{ left: `${Math.min(100, at_ms / 10 / lengthS)}%` }}
          />
        ))}
        <input
          type="range"
          aria-label="Position"
          aria-valuetext={`${duration(atS * 1000)} of ${duration(lengthS * 1000)}`}
          min={0}
          max={lengthS}
          step={0.1}
          value={Math.min(atS, lengthS)}
          onChange={({ target }) => void go(Number(target.value))}
          className="w-full accent-royal"
        />
      </div>
      <span className="figures whitespace-nowrap text-soft text-sm">
        {duration(atS * 1000)} / {duration(lengthS * 1000)}
      </span>
      <Button
        variant="quiet"
        size="icon"
        aria-label="Download the recording"
        onClick={() => void download(record)}
      >
        <Download aria-hidden />
      </Button>
    </Card>
  );
});

function Icon({ playing, waiting }: { playing: boolean; waiting: boolean }) {
  if (waiting) return <LoaderCircle aria-hidden className="animate-spin" />;
  return playing ? <Pause aria-hidden /> : <Play aria-hidden />;
}

async function sound(record: Record): Promise<Blob> {
  const response = await fetch(recordingOf(record)).catch(() => {
    throw unreachable();
  });
  if (!response.ok) throw refusalOf(response, await response.json().catch(() => null));
  return response.blob();
}

async function download(record: Record) {
  save(`${record.id}.${record.ended_at ? "ogg" : "wav"}`, await sound(record));
}

/** The sound is fetched whole when it is first wanted: from a part of it nobody could jump on. */
function usePlayer(record: Record) {
  const audio = useRef<HTMLAudioElement>(null);
  const address = useRef<string | null>(null);
  const [progress, setProgress] = useState({ playing: false, atS: 0, lengthS: 0 });
  const [waiting, setWaiting] = useState(false);
  const [error, setError] = useState<string>();

  useEffect(() => {
    const element = audio.current;
    if (!element) return;
    const look = () => {
      const lengthS = Number.isFinite(element.duration) ? element.duration : 0;
      setProgress({ playing: !element.paused, atS: element.currentTime, lengthS });
    };
    const events = ["play", "pause", "timeupdate", "durationchange", "seeked"];
    for (const event of events) element.addEventListener(event, look);
    return () => {
      for (const event of events) element.removeEventListener(event, look);
      if (address.current) URL.revokeObjectURL(address.current);
      address.current = null;
    };
  }, []);

  const load = async (): Promise<HTMLAudioElement | null> => {
    const element = audio.current;
    if (!element || address.current) return element;
    setWaiting(true);
    try {
      address.current = URL.createObjectURL(await sound(record));
      element.src = address.current;
      return element;
    } catch (refused) {
      setError(said(refused));
      return null;
    } finally {
      setWaiting(false);
    }
  };
  return { audio, load, progress, waiting, error };
}
