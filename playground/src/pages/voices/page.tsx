import { useQuery } from "@tanstack/react-query";
import { AudioLines, Pause, Play, Search, SearchX } from "lucide-react";
import { useDeferredValue, useEffect, useRef, useState } from "react";
import { useLocation } from "wouter";
import type { Schema } from "@/api/client";
import { voices } from "@/api/names";
import { Copy } from "@/parts/copy";
import { Failed } from "@/parts/failed";
import { counted } from "@/parts/figures";
import { Page } from "@/parts/page";
import { conversing } from "@/realtime/names";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { Empty } from "@/ui/empty";
import { Input, Select } from "@/ui/field";
import { Skeleton } from "@/ui/skeleton";
import { toast } from "@/ui/toast";
import { fitting, languagesOf } from "./fitting";

type Voice = Schema["ElevenVoice"];

/** Who can speak here: to be heard, and to be used. */
export default function Voices() {
  const { data, error, isPending, refetch } = useQuery(voices);
  const [words, setWords] = useState("");
  const [language, setLanguage] = useState("");
  const { playing, toggle } = usePreview();
  const found = fitting(data ?? [], useDeferredValue(words), language);
  const talkers = conversing(data ?? []).map(({ voice_id }) => voice_id);
  return (
    <Page
      title="Voices"
      about={
        data
          ? `${counted(data.length, "voice")} that this server can speak with.`
          : "Who can speak here."
      }
    >
      <search className="grid gap-2 sm:grid-cols-[1fr_14rem]">
        <span className="relative">
          <Search aria-hidden className="absolute top-3 left-3 size-4 text-soft" />
          <Input
            type="search"
            aria-label="Search voices"
            placeholder="Name, language or accent"
            value={words}
            onChange={({ target }) => setWords(target.value)}
            className="pl-9"
          />
        </span>
        <Select
          aria-label="Language"
          value={language}
          onChange={({ target }) => setLanguage(target.value)}
        >
          <option value="">Any language</option>
          {languagesOf(data ?? []).map(([tag, name]) => (
            <option key={tag} value={tag}>
              {name}
            </option>
          ))}
        </Select>
      </search>
      {error ? (
        <Failed what="No voices to show" error={error} again={() => void refetch()} />
      ) : null}
      {data && found.length === 0 ? (
        <Card>
          <Empty icon={SearchX} title="No voice fits">
            Try fewer words, or another language.
          </Empty>
        </Card>
      ) : null}
      <ul className="grid gap-3 sm:grid-cols-2 xl:grid-cols-3">
        {isPending
          ? [0, 1, 2, 3, 4, 5].map((n) => <Skeleton key={n} className="h-32 rounded-card" />)
          : null}
        {found.map((voice) => (
          <li key={voice.voice_id}>
            <VoiceCard
              voice={voice}
              converses={talkers.includes(voice.voice_id)}
              playing={playing === voice.voice_id}
              toggle={() => toggle(voice)}
            />
          </li>
        ))}
      </ul>
    </Page>
  );
}

interface CardProps {
  voice: Voice;
  converses: boolean;
  playing: boolean;
  toggle: () => void;
}

function VoiceCard({ voice, converses, playing, toggle }: CardProps) {
  const [, go] = useLocation();
  const { voice_id, name, labels, description } = voice;
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
          <p className="truncate text-soft text-xs">{description}</p>
        </div>
      </div>
      <div className="flex flex-wrap gap-1.5">
        {[labels.accent || labels.language, labels.gender].filter(Boolean).map((label) => (
          <Badge key={label}>{label}</Badge>
        ))}
        {converses ? <Badge tone="royal">converses</Badge> : null}
      </div>
      <div className="mt-auto flex items-center justify-between gap-2">
        <Copy text={voice_id} label="Copy id" />
        <Button size="sm" onClick={() => go(`~/app/speech?voice=${encodeURIComponent(voice_id)}`)}>
          <AudioLines aria-hidden /> Use
        </Button>
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
    element.play().catch(() => {
      if (audio.current !== element) return; // another was chosen meanwhile
      setPlaying(null);
      toast("No preview", `${voice.name} could not be heard: its model may not be there.`, "bad");
    });
  };
  return { playing, toggle };
}
