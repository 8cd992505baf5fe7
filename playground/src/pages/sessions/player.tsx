import { forwardRef, useEffect, useImperativeHandle, useRef, useState } from "react";
import { refusalOf, said, unreachable } from "@/api/refusal";
import { lasted, type Record, recordingOf } from "@/api/sessions";
import { PlayerBar } from "@/parts/player-bar";
import { save } from "@/parts/save";
import { useAudio } from "@/parts/use-audio";
import { Card } from "@/ui/card";
import { cn } from "@/ui/cn";
import { Notice } from "@/ui/notice";
import { toast } from "@/ui/toast";

export interface PlayerHandle {
  /** Play from here, in ms after the session's beginning. */
  playFrom: (ms: number) => void;
}

/** How it sounded: the caller on the left, the agent on the right. Turns are marked. */
export const Player = forwardRef<PlayerHandle, { record: Record }>(function Player(
  { record },
  ref,
) {
  const { audio, progress } = useAudio();
  const { fetched, waiting, error } = useRecording(record);
  const lengthS = progress.lengthS || lasted(record) / 1000;

  const go = async (toS: number | null) => {
    const element = audio.current;
    const source = await fetched();
    if (!element || !source) return;
    if (element.src !== source) element.src = source;
    if (toS !== null) element.currentTime = toS;
    try {
      await element.play();
    } catch (refused) {
      const stopped = refused instanceof DOMException && refused.name === "AbortError";
      if (!stopped) toast("Not played", said(refused), "bad");
    }
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
    <Card aria-label="Recording" className="p-3 sm:p-4">
      {/* biome-ignore lint/a11y/useMediaCaption: its transcript stands right below */}
      <audio ref={audio} />
      <PlayerBar
        {...progress}
        lengthS={lengthS}
        waiting={waiting}
        play={() => void go(null)}
        pause={() => audio.current?.pause()}
        seek={(toS) => void go(toS)}
        download={() =>
          void download(record).catch((error) => toast("Not saved", said(error), "bad"))
        }
        marks={<Marks record={record} lengthS={lengthS} />}
      />
    </Card>
  );
});

function Marks({ record, lengthS }: { record: Record; lengthS: number }) {
  return record.turns.map(({ number, kind, at_ms }) => (
    <span
      key={number}
      aria-hidden
      className={cn(
        "pointer-events-none absolute top-0 size-1.5 rounded-full",
        kind === "caller" ? "bg-caller" : "bg-royal-ink",
      )}
      style={{ left: `${Math.min(100, at_ms / 10 / lengthS)}%` }}
    />
  ));
}

async function answered(record: Record, headers: HeadersInit = {}): Promise<Response> {
  const response = await fetch(recordingOf(record), { headers }).catch(() => {
    throw unreachable();
  });
  if (!response.ok) throw refusalOf(response, await response.json().catch(() => null));
  return response;
}

async function download(record: Record) {
  const sound = await (await answered(record)).blob();
  save(`${record.id}.${sound.type.includes("ogg") ? "ogg" : "wav"}`, sound);
}

/** Where the sound is, once it is wanted: its first byte is asked for, which says what is wrong. */
function useRecording(record: Record) {
  const address = useRef<string | null>(null);
  const [waiting, setWaiting] = useState(false);
  const [error, setError] = useState<string>();
  useEffect(
    () => () => {
      if (address.current?.startsWith("blob:")) URL.revokeObjectURL(address.current);
      address.current = null;
    },
    [],
  );
  const fetched = async (): Promise<string | null> => {
    if (address.current) return address.current;
    setWaiting(true);
    try {
      address.current = await placeOf(record);
    } catch (refused) {
      setError(said(refused));
    } finally {
      setWaiting(false);
    }
    return address.current;
  };
  return { fetched, waiting, error };
}

/** The server's, in which players jump about; one that still grows is fetched whole. */
async function placeOf(record: Record): Promise<string> {
  if (!record.ended_at) return URL.createObjectURL(await (await answered(record)).blob());
  await answered(record, { range: "bytes=0-0" });
  return new URL(recordingOf(record), window.location.origin).href;
}
