import { X } from "lucide-react";
import { wordsOf } from "@/api/transcription";
import { Copy } from "@/parts/copy";
import { duration, milliseconds } from "@/parts/figures";
import { nameOf } from "@/parts/languages";
import { save } from "@/parts/save";
import { SpokenWords } from "@/parts/spoken-words";
import { WavePlayer } from "@/parts/wave-player";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Card, CardBody, CardHeader, CardTitle } from "@/ui/card";
import { drop, type Result } from "./results";
import { inSubtitles, inWebVtt } from "./subtitles";
import { useFileAudio } from "./use-file-audio";

/** What was heard in a file: press a word, and it plays from there. */
export function ResultCard({ result, latest }: { result: Result; latest: boolean }) {
  const { file, transcription, tookMs, model } = result;
  const { audio, progress, peaks } = useFileAudio(file, transcription.duration ?? 0);
  const lengthS = progress.lengthS || (transcription.duration ?? 0);
  const words = wordsOf(transcription);
  const now = () => audio.current?.currentTime ?? 0;
  const play = (fromS: number | null) => {
    const element = audio.current;
    if (!element) return;
    if (fromS !== null) element.currentTime = fromS;
    void element.play().catch(() => {}); // a kind that this browser cannot play
  };
  return (
    <Card aria-label={latest ? "Transcript" : "Earlier transcript"} className="animate-rise">
      <CardHeader className="flex-wrap">
        <CardTitle className="min-w-0 break-words">{file.name}</CardTitle>
        <span className="flex flex-wrap items-center gap-1">
          <Copy text={transcription.text} />
          <Exports result={result} />
          <Button
            variant="quiet"
            size="icon-sm"
            aria-label="Remove from the list"
            onClick={() => drop(result.id)}
          >
            <X aria-hidden />
          </Button>
        </span>
      </CardHeader>
      <CardBody className="flex flex-col gap-4">
        {/* biome-ignore lint/a11y/useMediaCaption: its transcript stands below */}
        <audio ref={audio} />
        <WavePlayer
          {...progress}
          lengthS={lengthS}
          peaks={peaks}
          now={now}
          play={() => play(null)}
          pause={() => audio.current?.pause()}
          seek={(toS) => {
            if (audio.current) audio.current.currentTime = toS;
          }}
        />
        {transcription.text.trim() === "" ? <p className="text-soft">Nothing was said.</p> : null}
        {words.length ? (
          <SpokenWords
            words={words}
            playing={progress.playing}
            atS={progress.atS}
            now={now}
            playFrom={play}
            className="max-h-96 overflow-y-auto"
          />
        ) : (
          <p className="leading-relaxed">{transcription.text}</p>
        )}
        <p className="figures flex flex-wrap gap-2">
          <Badge>{model}</Badge>
          {transcription.language ? (
            <Badge tone="royal">{nameOf(transcription.language)}</Badge>
          ) : null}
          {lengthS ? <Badge>{duration(lengthS * 1000)} long</Badge> : null}
          <Badge>heard in {milliseconds(tookMs)}</Badge>
          {lengthS ? (
            <Badge tone="good">{((lengthS * 1000) / tookMs).toFixed(1)}× real time</Badge>
          ) : null}
        </p>
      </CardBody>
    </Card>
  );
}

function Exports({ result: { file, transcription } }: { result: Result }) {
  const name = file.name.replace(/\.[^.]*$/, "");
  const segments = transcription.segments ?? [];
  const files: readonly (readonly [string, () => string, string])[] = [
    ["txt", () => transcription.text, "text/plain"],
    ["json", () => JSON.stringify(transcription, null, 2), "application/json"],
    ...(segments.length
      ? ([
          ["srt", () => inSubtitles(segments), "application/x-subrip"],
          ["vtt", () => inWebVtt(segments), "text/vtt"],
        ] as const)
      : []),
  ];
  return files.map(([ending, text, type]) => (
    <Button
      key={ending}
      size="sm"
      variant="quiet"
      aria-label={`Save as ${ending}`}
      onClick={() => save(`${name}.${ending}`, text(), type)}
    >
      {ending}
    </Button>
  ));
}
