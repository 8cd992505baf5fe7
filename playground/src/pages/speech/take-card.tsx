import { Download, LoaderCircle, X } from "lucide-react";
import { useEffect, useState } from "react";
import { said } from "@/api/refusal";
import { type AudioFormat, FORMATS, speak } from "@/api/speech";
import { milliseconds } from "@/parts/figures";
import { save } from "@/parts/save";
import { SpokenWords } from "@/parts/spoken-words";
import { WavePlayer } from "@/parts/wave-player";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { Select } from "@/ui/field";
import { toast } from "@/ui/toast";
import { useStore } from "@/use-store";
import { bodyOf } from "./body";
import { drop, type Take } from "./takes";

/** What was said: how it looks, its words as they are heard, and its file. */
export function TakeCard({ take, latest }: { take: Take; latest: boolean }) {
  const { tape, wanted, firstMs, tookMs } = take;
  const { whole, ...progress } = useStore(tape.store);
  useEffect(() => () => tape.pause(), [tape]); // nobody could stop it on another page
  return (
    <Card
      aria-label={latest ? "Speech" : "Earlier speech"}
      className="flex animate-rise flex-col gap-3 p-4 sm:p-5"
    >
      <WavePlayer
        {...progress}
        peaks={tape.peaks.values}
        coming={!whole}
        now={tape.now}
        play={() => tape.play()}
        pause={() => tape.pause()}
        seek={(toS) => tape.seek(toS)}
      />
      <SpokenWords
        words={tape.words.all}
        playing={progress.playing}
        atS={progress.atS}
        now={tape.now}
        playFrom={(atS) => tape.play(atS)}
        className="max-h-60 overflow-y-auto"
      />
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="figures flex flex-wrap gap-2">
          <Badge tone="royal">{wanted.voice}</Badge>
          {firstMs === null ? null : <Badge>first heard after {milliseconds(firstMs)}</Badge>}
          {tookMs === null ? null : (
            <Badge tone="good">{((progress.lengthS * 1000) / tookMs).toFixed(1)}× real time</Badge>
          )}
        </p>
        <span className="flex items-center gap-2">
          {whole ? <SaveAs take={take} /> : null}
          {whole ? (
            <Button
              variant="quiet"
              size="icon"
              aria-label="Remove from the list"
              onClick={() => drop(take.id)}
            >
              <X aria-hidden />
            </Button>
          ) : null}
        </span>
      </div>
    </Card>
  );
}

function SaveAs({ take: { wanted, tape } }: { take: Take }) {
  const [format, setFormat] = useState<AudioFormat>("mp3");
  const [waiting, setWaiting] = useState(false);
  const download = async () => {
    setWaiting(true);
    try {
      // What was heard is here; another format of it the server makes anew.
      const file = format === "wav" ? tape.wav() : await speak(bodyOf(wanted, format));
      save(`${wanted.voice}.${format}`, file);
    } catch (failed) {
      toast("Not saved", said(failed), "bad");
    } finally {
      setWaiting(false);
    }
  };
  return (
    <>
      <Select
        aria-label="Format"
        value={format}
        onChange={({ target }) => setFormat(target.value as AudioFormat)}
      >
        {FORMATS.map((one) => (
          <option key={one}>{one}</option>
        ))}
      </Select>
      <Button size="icon" aria-label="Download" disabled={waiting} onClick={() => void download()}>
        {waiting ? <LoaderCircle aria-hidden className="animate-spin" /> : <Download aria-hidden />}
      </Button>
    </>
  );
}
