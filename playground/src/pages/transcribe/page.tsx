import { useMutation, useQuery } from "@tanstack/react-query";
import { FileAudio, LoaderCircle, Square } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { models } from "@/api/names";
import { formatOf, type Heard, type Transcription, transcribe } from "@/api/speech";
import { Copy } from "@/parts/copy";
import { CopyAs } from "@/parts/copy-as";
import { Failed } from "@/parts/failed";
import { bytes, duration, milliseconds } from "@/parts/figures";
import { FileDrop } from "@/parts/file-drop";
import { Page } from "@/parts/page";
import { save } from "@/parts/save";
import { transcribers } from "@/realtime/names";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Card, CardBody, CardHeader, CardTitle } from "@/ui/card";
import { Field, Input, Select } from "@/ui/field";
import { inSubtitles } from "./subtitles";

interface Made {
  transcription: Transcription;
  tookMs: number;
  file: File;
}

/** Speech in, text out. */
export default function Transcribe() {
  const [file, setFile] = useState<File | null>(null);
  const [model, setModel] = useState("whisper-1");
  const [language, setLanguage] = useState("");
  const [words, setWords] = useState("");
  const { data } = useQuery(models);
  const stop = useRef(new AbortController());
  const hearing = useMutation({
    mutationFn: async (heard: Heard): Promise<Made> => {
      stop.current = new AbortController();
      const began = performance.now();
      const transcription = await transcribe(heard, stop.current.signal);
      return { transcription, tookMs: performance.now() - began, file: heard.file };
    },
  });
  const known = transcribers(data ?? []);
  const timed = data?.find(({ id }) => id === model)?.voiceforge.word_times ?? true;
  const form = {
    file: `@${file?.name ?? "speech.mp3"}`,
    model,
    response_format: formatOf(timed),
    ...(language ? { language } : {}),
    ...(words ? { prompt: words } : {}),
  };
  return (
    <Page
      title="Transcribe"
      about="A recording becomes text, with times: anything that FFmpeg reads, up to six hours."
      actions={<CopyAs call={{ method: "POST", path: "/v1/audio/transcriptions", form }} />}
    >
      <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_19rem]">
        <div className="flex min-w-0 flex-col gap-5">
          <FileDrop
            accept="audio/*,video/*"
            choose={([first]) => first && setFile(first)}
            title={file ? file.name : "Drop a recording here, or choose one"}
            about={
              file
                ? `${bytes(file.size)}. Another may take its place.`
                : "mp3, wav, ogg, m4a, mp4, webm and many more"
            }
          />
          <div aria-live="polite" className="flex flex-col gap-3 empty:hidden">
            {hearing.error && !(hearing.error instanceof DOMException) ? (
              <Failed what="Not transcribed" error={hearing.error} />
            ) : null}
            {hearing.data ? <Result made={hearing.data} /> : null}
          </div>
        </div>
        <Card aria-label="How">
          <CardBody className="flex flex-col gap-5 pt-5">
            <Field
              label="Model"
              hint={
                timed
                  ? "whisper-1 leaves it to the language."
                  : "It knows the words, but not when they were said."
              }
            >
              {(field) => (
                <Select {...field} value={model} onChange={({ target }) => setModel(target.value)}>
                  {(known.length ? known : [model]).map((id) => (
                    <option key={id}>{id}</option>
                  ))}
                </Select>
              )}
            </Field>
            <Field label="Language" hint="Two letters, such as en. Empty: it is found.">
              {(field) => (
                <Input
                  {...field}
                  value={language}
                  maxLength={8}
                  onChange={({ target }) => setLanguage(target.value.trim())}
                />
              )}
            </Field>
            <Field label="Names and words" hint="That may be said, with commas between.">
              {(field) => (
                <Input
                  {...field}
                  value={words}
                  onChange={({ target }) => setWords(target.value)}
                  placeholder="VoiceForge, Ada"
                />
              )}
            </Field>
            {hearing.isPending ? (
              <Button onClick={() => stop.current.abort()}>
                <Square aria-hidden /> Stop
              </Button>
            ) : (
              <Button
                variant="primary"
                disabled={!file}
                onClick={() => file && hearing.mutate({ file, model, language, words, timed })}
              >
                <FileAudio aria-hidden /> Transcribe
              </Button>
            )}
            {hearing.isPending ? <Listening /> : null}
          </CardBody>
        </Card>
      </div>
    </Page>
  );
}

function Listening() {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setSeconds((now) => now + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <p role="status" className="figures flex items-center gap-2 text-soft text-sm">
      <LoaderCircle aria-hidden className="size-4 animate-spin" /> Listening, for{" "}
      {duration(seconds * 1000)}
    </p>
  );
}

function Result({ made }: { made: Made }) {
  const { transcription, tookMs, file } = made;
  const segments = transcription.segments ?? [];
  const lengthMs = (transcription.duration ?? 0) * 1000;
  const name = file.name.replace(/\.[^.]*$/, "");
  return (
    <Card aria-label="Transcript" className="animate-rise">
      <CardHeader className="flex-wrap">
        <CardTitle>Transcript</CardTitle>
        <span className="flex flex-wrap items-center gap-1">
          <Copy text={transcription.text} />
          <Button
            size="sm"
            variant="quiet"
            onClick={() => save(`${name}.txt`, transcription.text, "text/plain")}
          >
            Text
          </Button>
          {segments.length ? (
            <Button
              size="sm"
              variant="quiet"
              onClick={() => save(`${name}.srt`, inSubtitles(segments), "application/x-subrip")}
            >
              Subtitles
            </Button>
          ) : null}
        </span>
      </CardHeader>
      <CardBody className="flex flex-col gap-4">
        <p className="figures flex flex-wrap gap-2">
          {transcription.language ? <Badge tone="royal">{transcription.language}</Badge> : null}
          {lengthMs ? <Badge>{duration(lengthMs)} long</Badge> : null}
          <Badge>heard in {milliseconds(tookMs)}</Badge>
          {lengthMs ? <Badge tone="good">{(lengthMs / tookMs).toFixed(1)}× real time</Badge> : null}
        </p>
        {transcription.text.trim() === "" ? <p className="text-soft">Nothing was said.</p> : null}
        <ol className="flex flex-col">
          {segments.map(({ start, text }) => (
            <li key={start} className="grid grid-cols-[3.25rem_1fr] gap-3 py-1.5 leading-relaxed">
              <span className="figures pt-0.5 text-royal-ink text-xs">
                {duration(start * 1000)}
              </span>
              <span>{text.trim()}</span>
            </li>
          ))}
        </ol>
        {segments.length === 0 ? <p className="leading-relaxed">{transcription.text}</p> : null}
      </CardBody>
    </Card>
  );
}
