import { useMutation, useQuery } from "@tanstack/react-query";
import { FileAudio, LoaderCircle, Square } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { models } from "@/api/names";
import { fieldsOf, type Heard, type Progress, transcribe } from "@/api/transcription";
import { Bar } from "@/parts/bar";
import { CopyAs } from "@/parts/copy-as";
import { Failed } from "@/parts/failed";
import { bytes, duration } from "@/parts/figures";
import { FileDrop } from "@/parts/file-drop";
import { Page } from "@/parts/page";
import { transcribers } from "@/realtime/names";
import { Button } from "@/ui/button";
import { Card, CardBody } from "@/ui/card";
import { Empty } from "@/ui/empty";
import { Field, Input, Select } from "@/ui/field";
import { useStore } from "@/use-store";
import { Recording } from "./recording";
import { ResultCard } from "./result-card";
import { keep, results } from "./results";

/** Speech in, text out. */
export default function Transcribe() {
  const [file, setFile] = useState<File | null>(null);
  const [model, setModel] = useState("whisper-1");
  const [language, setLanguage] = useState("");
  const [words, setWords] = useState("");
  const { data } = useQuery(models);
  const [far, setFar] = useState<Progress | null>(null);
  const all = useStore(results);
  const stop = useRef(new AbortController());
  useEffect(() => () => stop.current.abort(), []);
  const hearing = useMutation({
    mutationFn: async (heard: Heard) => {
      stop.current = new AbortController();
      setFar(null);
      const began = performance.now();
      const transcription = await transcribe(heard, stop.current.signal, setFar);
      const { file, model } = heard;
      keep({ file, model, transcription, tookMs: performance.now() - began });
    },
  });
  const known = transcribers(data ?? []);
  const timed = data?.find(({ id }) => id === model)?.voiceforge.word_times ?? true;
  const asked = { model, language, words, timed };
  return (
    <Page
      title="Transcribe"
      about="A recording becomes text, with times: anything that FFmpeg reads, up to six hours."
      actions={
        <CopyAs
          call={{
            method: "POST",
            path: "/v1/audio/transcriptions",
            form: { file: `@${file?.name ?? "speech.mp3"}`, ...fieldsOf(asked) },
          }}
        />
      }
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
          <Recording done={setFile} />
          <div aria-live="polite" className="flex flex-col gap-3 empty:hidden">
            {hearing.error && !(hearing.error instanceof DOMException) ? (
              <Failed what="Not transcribed" error={hearing.error} />
            ) : null}
            {hearing.isPending && far?.text ? (
              <p className="leading-relaxed text-soft">{far.text}</p>
            ) : null}
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
                onClick={() => file && hearing.mutate({ file, ...asked })}
              >
                <FileAudio aria-hidden /> Transcribe
              </Button>
            )}
            {hearing.isPending ? <Listening far={far} /> : null}
          </CardBody>
        </Card>
      </div>
      {all.map((result, at) => (
        <ResultCard key={result.id} result={result} latest={at === 0} />
      ))}
      {all.length === 0 && !hearing.isPending ? (
        <Card>
          <Empty icon={FileAudio} title="What is heard will be here">
            Press a word, and the recording plays from there. Save the text, subtitles (srt, vtt),
            or all that is known as JSON. What you had transcribed stays in this list until you
            close the window.
          </Empty>
        </Card>
      ) : null}
    </Page>
  );
}

function Listening({ far }: { far: Progress | null }) {
  const share = far && far.durationS > 0 ? far.heardS / far.durationS : 0;
  return (
    <div role="status" className="flex flex-col gap-2">
      <p className="figures flex items-center gap-2 text-soft text-sm">
        <LoaderCircle aria-hidden className="size-4 animate-spin" />
        {far
          ? `${duration(far.heardS * 1000)} of ${duration(far.durationS * 1000)} heard`
          : "Sending, and listening…"}
      </p>
      {far ? <Bar value={share} label="How much of it is heard" /> : null}
    </div>
  );
}
