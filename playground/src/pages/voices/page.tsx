import { useQuery } from "@tanstack/react-query";
import { AudioLines, Pause, Play, Search, SearchX, Volume2 } from "lucide-react";
import { useDeferredValue, useEffect, useRef, useState } from "react";
import { useLocation } from "wouter";
import type { Schema } from "@/api/client";
import { voices } from "@/api/names";
import { call, change } from "@/pages/playground/current-call";
import { Copy } from "@/parts/copy";
import { CopyAs } from "@/parts/copy-as";
import { Failed } from "@/parts/failed";
import { counted } from "@/parts/figures";
import { Page } from "@/parts/page";
import { ANY, fitting, languagesOf, type Sought, tongueOf } from "@/parts/voices";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { Empty } from "@/ui/empty";
import { Input, Select } from "@/ui/field";
import { Skeleton } from "@/ui/skeleton";
import { toast } from "@/ui/toast";

type Voice = Schema["ElevenVoice"];

/** Who can speak here: to be heard, and to be used. */
export default function Voices() {
  const { data, error, isPending, refetch } = useQuery(voices);
  const [sought, setSought] = useState(ANY);
  const { playing, toggle } = usePreview();
  const every = data ?? [];
  const found = fitting(every, useDeferredValue(sought));
  return (
    <Page
      title="Voices"
      about={
        data
          ? `${counted(data.length, "voice")} that this server can speak with. Those that converse may hold calls, all read aloud.`
          : "Who can speak here."
      }
      actions={<CopyAs call={{ method: "GET", path: "/v1/voices" }} />}
    >
      <Filters
        sought={sought}
        set={(part) => setSought({ ...sought, ...part })}
        languages={languagesOf(every)}
      />
      {error ? (
        <Failed what="No voices to show" error={error} again={() => void refetch()} />
      ) : null}
      {data && found.length === 0 ? (
        <Card>
          <Empty
            icon={SearchX}
            title="No voice fits"
            action={<Button onClick={() => setSought(ANY)}>Show all</Button>}
          >
            Try fewer words, or another language.
          </Empty>
        </Card>
      ) : null}
      <ul className="grid gap-3 sm:grid-cols-2 xl:grid-cols-3">
        {isPending
          ? [0, 1, 2, 3, 4, 5].map((n) => <Skeleton key={n} className="h-40 rounded-card" />)
          : null}
        {found.map((voice) => (
          <li key={voice.voice_id}>
            <VoiceCard
              voice={voice}
              playing={playing === voice.voice_id}
              toggle={() => toggle(voice)}
            />
          </li>
        ))}
      </ul>
    </Page>
  );
}

interface FiltersProps {
  sought: Sought;
  set: (part: Partial<Sought>) => void;
  languages: readonly (readonly [string, string])[];
}

function Filters({ sought, set, languages }: FiltersProps) {
  return (
    <search className="grid grid-cols-2 gap-2 lg:grid-cols-[1fr_13rem_9rem_13rem]">
      <span className="relative max-lg:col-span-2">
        <Search aria-hidden className="absolute top-3 left-3 size-4 text-soft" />
        <Input
          type="search"
          aria-label="Search voices"
          placeholder="Name, language or accent"
          value={sought.words}
          onChange={({ target }) => set({ words: target.value })}
          className="pl-9"
        />
      </span>
      <Select
        aria-label="Language"
        value={sought.language}
        onChange={({ target }) => set({ language: target.value })}
      >
        <option value="">Any language</option>
        {languages.map(([tag, name]) => (
          <option key={tag} value={tag}>
            {name}
          </option>
        ))}
      </Select>
      <Select
        aria-label="Gender"
        value={sought.gender}
        onChange={({ target }) => set({ gender: target.value })}
      >
        <option value="">Any gender</option>
        <option value="female">female</option>
        <option value="male">male</option>
      </Select>
      <Select
        aria-label="Kind"
        className="max-lg:col-span-2"
        value={sought.kind}
        onChange={({ target }) => set({ kind: target.value as Sought["kind"] })}
      >
        <option value="">Natural and robotic</option>
        <option value="converses">can hold calls</option>
        <option value="natural">natural</option>
        <option value="robotic">robotic</option>
      </Select>
    </search>
  );
}

interface CardProps {
  voice: Voice;
  playing: boolean;
  toggle: () => void;
}

function VoiceCard({ voice, playing, toggle }: CardProps) {
  const [, go] = useLocation();
  const { voice_id, name, labels, description, voiceforge } = voice;
  return (
    <Card aria-label={name} className="flex h-full flex-col gap-3 p-4">
      <div className="flex items-center gap-3">
        <Button
          variant={playing ? "primary" : "glass"}
          size="icon"
          className="rounded-full"
          aria-label={playing ? `Stop ${name}` : `Hear ${name}`}
          onClick={toggle}
        >
          {playing ? <Pause aria-hidden /> : <Play aria-hidden />}
        </Button>
        <div className="min-w-0">
          <h2 className="truncate font-semibold text-[0.9375rem]">{name}</h2>
          <p className="truncate text-soft text-xs">{tongueOf(voice)}</p>
        </div>
      </div>
      <div className="flex flex-wrap gap-1.5">
        <Badge tone={voiceforge.natural ? "good" : "warn"}>
          {voiceforge.natural ? "natural" : "robotic"}
        </Badge>
        {labels.gender ? <Badge>{labels.gender}</Badge> : null}
        {voiceforge.converses ? <Badge tone="royal">converses</Badge> : null}
        {voiceforge.default ? <Badge tone="royal">default</Badge> : null}
      </div>
      <p className="line-clamp-2 text-soft text-xs leading-relaxed">
        {description}.
        {voiceforge.aliases.length ? ` Speaks as ${voiceforge.aliases.join(", ")}, too.` : ""}
      </p>
      <div className="mt-auto flex items-center justify-between gap-2">
        <Copy text={voice_id} label="Copy id" />
        <span className="flex gap-2">
          {voiceforge.converses ? (
            <Button
              size="sm"
              onClick={() => {
                call.end(); // it is with somebody else
                change({ agent: null, voice: voice_id });
                go("~/app/");
              }}
            >
              <AudioLines aria-hidden /> Talk
            </Button>
          ) : null}
          <Button
            size="sm"
            onClick={() => go(`~/app/speech?voice=${encodeURIComponent(voice_id)}`)}
          >
            <Volume2 aria-hidden /> Read aloud
          </Button>
        </span>
      </div>
    </Card>
  );
}

/** One preview at a time. */
function usePreview() {
  const audio = useRef<HTMLAudioElement | null>(null);
  const [playing, setPlaying] = useState<string | null>(null);
  useEffect(() => () => audio.current?.pause(), []);
  const toggle = (voice: Voice) => {
    audio.current?.pause();
    if (playing === voice.voice_id) {
      setPlaying(null);
      return;
    }
    const element = new Audio(`/v1/voices/${encodeURIComponent(voice.voice_id)}/preview`);
    element.onended = () => setPlaying(null);
    audio.current = element;
    setPlaying(voice.voice_id);
    element.play().catch((error: DOMException) => {
      if (audio.current !== element) return; // another was chosen meanwhile
      if (error.name === "AbortError") return; // it was stopped before it had come
      setPlaying(null);
      toast("No preview", `${voice.name} could not be heard: its model may not be there.`, "bad");
    });
  };
  return { playing, toggle };
}
