import { useMutation, useQuery } from "@tanstack/react-query";
import { AudioLines, LoaderCircle, Square } from "lucide-react";
import { type CSSProperties, useEffect, useRef, useState } from "react";
import { useSearch } from "wouter";
import type { Schema } from "@/api/client";
import { voices } from "@/api/names";
import { type AudioFormat, FORMATS, type Spoken, speak } from "@/api/speech";
import { CopyAs } from "@/parts/copy-as";
import { Failed } from "@/parts/failed";
import { milliseconds } from "@/parts/figures";
import { Page } from "@/parts/page";
import { PlayerBar } from "@/parts/player-bar";
import { save } from "@/parts/save";
import { useAudio } from "@/parts/use-audio";
import { ANY, fitting, tongueOf } from "@/parts/voices";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Card, CardBody } from "@/ui/card";
import { Field, Select } from "@/ui/field";

const KINDS = [
  ["natural", "Natural"],
  ["robotic", "Robotic"],
] as const;

const MOST = 100_000; // characters, the server's limit

const FIRST: Spoken = {
  input:
    "The tide turns at seven. By then we should be past the lighthouse, with the wind behind us.",
  voice: "joe",
  response_format: "mp3",
  speed: 1,
};

interface Made {
  sound: Blob;
  tookMs: number;
  spoken: Spoken;
}

function titleOf(voice: Schema["ElevenVoice"]): string {
  return `${voice.name}, ${tongueOf(voice)}`;
}

/** Text in, speech out. */
export default function Speech() {
  const asked = new URLSearchParams(useSearch()).get("voice");
  const [spoken, setSpoken] = useState({ ...FIRST, voice: asked ?? FIRST.voice });
  const { data } = useQuery(voices);
  const stop = useRef(new AbortController());
  const set = (part: Partial<Spoken>) => setSpoken({ ...spoken, ...part });
  const making = useMutation({
    mutationFn: async (): Promise<Made> => {
      stop.current = new AbortController();
      const began = performance.now();
      const sound = await speak(spoken, stop.current.signal);
      return { sound, tookMs: performance.now() - began, spoken };
    },
  });
  const stopped = making.error instanceof DOMException;
  return (
    <Page
      title="Speech"
      about="Have a text read aloud, by any voice of this server, in any format."
      actions={
        <CopyAs
          call={{
            method: "POST",
            path: "/v1/audio/speech",
            body: spoken,
            saveAs: `speech.${spoken.response_format}`,
          }}
        />
      }
    >
      <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_19rem]">
        <Card aria-label="Text" className="flex flex-col">
          <textarea
            aria-label="What is to be said"
            value={spoken.input}
            maxLength={MOST}
            onChange={({ target }) => set({ input: target.value })}
            placeholder="What is to be said…"
            className="field-sizing-content min-h-64 resize-none rounded-t-card bg-transparent p-6 text-lg leading-relaxed outline-none placeholder:text-soft/80 focus-visible:ring-3 focus-visible:ring-royal-tint focus-visible:ring-inset"
          />
          <footer className="flex flex-wrap items-center justify-between gap-3 border-t px-6 py-4">
            <span className="figures text-soft text-sm">
              {spoken.input.length.toLocaleString()} / {MOST.toLocaleString()}
            </span>
            {making.isPending ? (
              <Button onClick={() => stop.current.abort()}>
                <Square aria-hidden /> Stop
              </Button>
            ) : (
              <Button
                variant="primary"
                disabled={!spoken.input.trim()}
                onClick={() => making.mutate()}
              >
                <AudioLines aria-hidden /> Say it
              </Button>
            )}
          </footer>
        </Card>
        <Card aria-label="Voice">
          <CardBody className="flex flex-col gap-5 pt-5">
            <Field label="Voice" hint="The Voices page lets you hear them all.">
              {(field) => (
                <Select
                  {...field}
                  value={spoken.voice}
                  onChange={({ target }) => set({ voice: target.value })}
                >
                  {KINDS.map(([kind, label]) => (
                    <optgroup key={kind} label={label}>
                      {fitting(data ?? [], { ...ANY, kind }).map((voice) => (
                        <option key={voice.voice_id} value={voice.voice_id}>
                          {titleOf(voice)}
                        </option>
                      ))}
                    </optgroup>
                  ))}
                  {data?.some(({ voice_id }) => voice_id === spoken.voice) ? null : (
                    <option>{spoken.voice}</option>
                  )}
                </Select>
              )}
            </Field>
            <Field label="Format">
              {(field) => (
                <Select
                  {...field}
                  value={spoken.response_format}
                  onChange={({ target }) => set({ response_format: target.value as AudioFormat })}
                >
                  {FORMATS.map((one) => (
                    <option key={one}>{one}</option>
                  ))}
                </Select>
              )}
            </Field>
            <Field label={`Speed: ${spoken.speed.toFixed(2)}×`}>
              {(field) => (
                <input
                  {...field}
                  type="range"
                  min={0.25}
                  max={4}
                  step={0.05}
                  value={spoken.speed}
                  onChange={({ target }) => set({ speed: Number(target.value) })}
                  className="slider"
                  style={{ "--share": `${((spoken.speed - 0.25) / 3.75) * 100}%` } as CSSProperties}
                />
              )}
            </Field>
          </CardBody>
        </Card>
      </div>
      <div aria-live="polite" className="flex flex-col gap-3">
        {making.isPending ? (
          <p className="flex items-center gap-2 text-soft text-sm">
            <LoaderCircle aria-hidden className="size-4 animate-spin" /> Being said…
          </p>
        ) : null}
        {making.error && !stopped ? <Failed what="Not said" error={making.error} /> : null}
        {making.data ? <Result key={making.data.tookMs} made={making.data} /> : null}
      </div>
    </Page>
  );
}

function Result({ made }: { made: Made }) {
  const { audio, progress } = useAudio();
  useEffect(() => {
    const element = audio.current;
    if (!element) return;
    const address = URL.createObjectURL(made.sound);
    element.src = address;
    void element.play().catch(() => {}); // where the browser wants a click first, there is one to make
    return () => URL.revokeObjectURL(address);
  }, [made, audio]);
  const { voice, response_format } = made.spoken;
  return (
    <Card aria-label="Speech" className="flex animate-rise flex-col gap-3 p-4">
      {/* biome-ignore lint/a11y/useMediaCaption: its text stands above */}
      <audio ref={audio} />
      <PlayerBar
        {...progress}
        play={() => void audio.current?.play()}
        pause={() => audio.current?.pause()}
        seek={(toS) => {
          if (audio.current) audio.current.currentTime = toS;
        }}
        download={() => save(`${voice}.${response_format}`, made.sound)}
      />
      <p className="figures flex flex-wrap gap-2">
        <Badge>{voice}</Badge>
        <Badge>{(made.sound.size / 1024).toFixed(0)} kB</Badge>
        <Badge>made in {milliseconds(made.tookMs)}</Badge>
        {progress.lengthS > 0 ? (
          <Badge tone="good">
            {((progress.lengthS * 1000) / made.tookMs).toFixed(1)}× real time
          </Badge>
        ) : null}
      </p>
    </Card>
  );
}
