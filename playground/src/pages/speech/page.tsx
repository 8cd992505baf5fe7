import { useQuery } from "@tanstack/react-query";
import { AudioLines, LoaderCircle, Square, Volume2 } from "lucide-react";
import { type CSSProperties, useState } from "react";
import { Link, useSearch } from "wouter";
import { dictionaries } from "@/api/dictionaries";
import { voices } from "@/api/names";
import { CopyAs } from "@/parts/copy-as";
import { Failed } from "@/parts/failed";
import { Page } from "@/parts/page";
import { ANY, fitting, tongueOf } from "@/parts/voices";
import { Button } from "@/ui/button";
import { Card, CardBody } from "@/ui/card";
import { Empty } from "@/ui/empty";
import { Field, Select } from "@/ui/field";
import { useStore } from "@/use-store";
import { bodyOf } from "./body";
import { examplesFor } from "./examples";
import { TakeCard } from "./take-card";
import { takes } from "./takes";
import { useTake } from "./use-take";

const MOST = 100_000; // characters, the server's limit
const [SLOWEST, FASTEST] = [0.7, 1.2];

const KINDS = [
  ["natural", "Natural"],
  ["robotic", "Robotic"],
] as const;

/** Text in, speech out, heard while it is made. */
export default function Speech() {
  const asked = new URLSearchParams(useSearch()).get("voice");
  const { data } = useQuery(voices);
  const words = useQuery(dictionaries);
  const [chosen, setChosen] = useState(asked ?? "");
  const [text, setText] = useState("");
  const [speed, setSpeed] = useState(1);
  const [dictionary, setDictionary] = useState("");
  const { say, stop, pending, waiting, error } = useTake();
  const all = useStore(takes);
  const best = fitting(data ?? [], ANY);
  const voice = chosen || best[0]?.voice_id || "";
  const speaks = best.find(({ voice_id }) => voice_id === voice);
  const examples = examplesFor(speaks?.labels.language);
  const wanted = { text: text || (examples[0] ?? ""), voice, speed, dictionary };
  return (
    <Page
      title="Speech"
      about="Have a text read aloud, by any voice of this server: you hear it while it is being made."
      actions={
        <CopyAs
          call={{
            method: "POST",
            path: "/v1/audio/speech",
            body: bodyOf(wanted, "mp3"),
            saveAs: "speech.mp3",
          }}
        />
      }
    >
      <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_19rem]">
        <Card aria-label="Text" className="flex flex-col">
          <textarea
            aria-label="What is to be said"
            value={text}
            maxLength={MOST}
            onChange={({ target }) => setText(target.value)}
            placeholder={examples[0]}
            className="field-sizing-content min-h-48 resize-none rounded-t-card bg-transparent p-6 text-lg leading-relaxed outline-none placeholder:text-soft/80 focus-visible:ring-3 focus-visible:ring-royal-tint focus-visible:ring-inset"
          />
          {text ? null : (
            <fieldset className="flex flex-wrap gap-2 px-6 pb-4">
              <legend className="sr-only">Examples</legend>
              {examples.map((example) => (
                <Button
                  key={example}
                  size="sm"
                  title={example}
                  className="max-w-64"
                  onClick={() => setText(example)}
                >
                  <span className="truncate">{example}</span>
                </Button>
              ))}
            </fieldset>
          )}
          <footer className="flex flex-wrap items-center justify-between gap-3 border-t px-6 py-4">
            <span className="figures text-soft text-sm">
              {text.length.toLocaleString()} / {MOST.toLocaleString()}
            </span>
            {pending ? (
              <Button onClick={stop}>
                <Square aria-hidden /> Stop
              </Button>
            ) : (
              <Button
                variant="primary"
                disabled={!wanted.text.trim() || !voice}
                onClick={() => void say(wanted)}
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
                <Select {...field} value={voice} onChange={({ target }) => setChosen(target.value)}>
                  {KINDS.map(([kind, label]) => (
                    <optgroup key={kind} label={label}>
                      {fitting(best, { ...ANY, kind }).map((one) => (
                        <option key={one.voice_id} value={one.voice_id}>
                          {one.name}, {tongueOf(one)}
                        </option>
                      ))}
                    </optgroup>
                  ))}
                  {voice && !speaks ? <option>{voice}</option> : null}
                </Select>
              )}
            </Field>
            <Field label={`Speed: ${speed.toFixed(2)}×`}>
              {(field) => (
                <input
                  {...field}
                  type="range"
                  min={SLOWEST}
                  max={FASTEST}
                  step={0.05}
                  value={speed}
                  onChange={({ target }) => setSpeed(Number(target.value))}
                  className="slider"
                  style={
                    {
                      "--share": `${((speed - SLOWEST) / (FASTEST - SLOWEST)) * 100}%`,
                    } as CSSProperties
                  }
                />
              )}
            </Field>
            <Field
              label="Pronunciation"
              hint={
                <>
                  How odd words are said.{" "}
                  <Link href="~/app/settings" className="text-royal-ink underline">
                    Dictionaries
                  </Link>{" "}
                  are made in Settings.
                </>
              }
            >
              {(field) => (
                <Select
                  {...field}
                  value={dictionary}
                  onChange={({ target }) => setDictionary(target.value)}
                >
                  <option value="">As they are written</option>
                  {words.data?.map(({ id, name }) => (
                    <option key={id} value={id}>
                      {name}
                    </option>
                  ))}
                </Select>
              )}
            </Field>
          </CardBody>
        </Card>
      </div>
      <div aria-live="polite" className="contents">
        {error ? <Failed what="Not said" error={error} /> : null}
        {waiting ? (
          <p className="flex items-center gap-2 text-soft text-sm">
            <LoaderCircle aria-hidden className="size-4 animate-spin" /> Its first words are being
            made…
          </p>
        ) : null}
      </div>
      {all.map((take, at) => (
        <TakeCard key={take.id} take={take} latest={at === 0} />
      ))}
      {all.length === 0 && !pending ? (
        <Card>
          <Empty icon={Volume2} title="What is said will be here">
            With its waveform, and each word lit as it is heard. Save it as mp3, opus, aac, flac or
            wav. What you had said stays in this list until you close the window.
          </Empty>
        </Card>
      ) : null}
    </Page>
  );
}
