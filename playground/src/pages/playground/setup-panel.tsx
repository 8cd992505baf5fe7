import { useQuery } from "@tanstack/react-query";
import { Bot, SlidersHorizontal } from "lucide-react";
import { agents } from "@/api/agents";
import { models, voices } from "@/api/names";
import { CodeDialog } from "@/parts/code-dialog";
import { isUnderWay } from "@/realtime/call-state";
import { conversational, conversing, transcribers } from "@/realtime/names";
import type { Setup } from "@/realtime/setup";
import { Card, CardBody, CardHeader, CardTitle } from "@/ui/card";
import { Field, Input, Select, Textarea } from "@/ui/field";
import { Switch } from "@/ui/switch";
import { useStore } from "@/use-store";
import { CLIENTS } from "./as-client";
import { call, change, setup } from "./current-call";
import { LoudspeakerField, MicrophoneField } from "./device-fields";
import { TransportField } from "./transport-field";

/** Who answers, and how. During a call the changes hold at once, where they can. */
export function SetupPanel() {
  const now = useStore(setup);
  const underWay = isUnderWay(useStore(call.store));
  const set = (part: Partial<Setup>) => {
    change(part);
    if (underWay) call.configure(setup.get());
  };
  return (
    <Card aria-label="Setup">
      <CardHeader>
        <CardTitle className="flex items-center gap-2">
          <SlidersHorizontal aria-hidden className="size-4 text-royal-ink" /> Setup
        </CardTitle>
        <CodeDialog
          title="This conversation, by a program"
          about="With a stock client, and a key of yours in VOICEFORGE_API_KEY."
          codes={Object.fromEntries(
            Object.entries(CLIENTS).map(([name, code]) => [
              name,
              () => code(now, window.location.origin),
            ]),
          )}
        />
      </CardHeader>
      <CardBody className="flex flex-col gap-5">
        <AgentField chosen={now.agent} fixed={underWay} />
        {now.agent ? (
          <p className="flex items-start gap-2 rounded-field bg-royal-tint px-3 py-2.5 text-sm leading-relaxed">
            <Bot aria-hidden className="mt-0.5 size-4 shrink-0 text-royal-ink" />
            Instructions, voice and tools are the agent’s own.
          </p>
        ) : (
          <OwnAgent now={now} set={set} underWay={underWay} />
        )}
        <hr className="border-edge" />
        <TransportField />
        <Field label="Turns end">
          {(field) => (
            <Select
              {...field}
              value={now.turns}
              onChange={({ target }) => set({ turns: target.value as Setup["turns"] })}
            >
              <option value="semantic_vad">by what was said, and how</option>
              <option value="server_vad">after a silence</option>
              <option value="push">when I let go of the button</option>
            </Select>
          )}
        </Field>
        <Field label="The agent answers">
          {(field) => (
            <Select
              {...field}
              value={now.answers}
              onChange={({ target }) => set({ answers: target.value as Setup["answers"] })}
            >
              <option value="audio">aloud, with a transcript</option>
              <option value="text">in writing</option>
            </Select>
          )}
        </Field>
        <MicrophoneField />
        <LoudspeakerField />
        <TranscriberField now={now} set={set} />
      </CardBody>
    </Card>
  );
}

interface Part {
  now: Setup;
  set: (part: Partial<Setup>) => void;
}

function AgentField({ chosen, fixed }: { chosen: string | null; fixed: boolean }) {
  const { data } = useQuery(agents);
  const known = data?.data ?? [];
  return (
    <Field label="Agent" hint={fixed ? "Who answers is chosen before the call." : undefined}>
      {(field) => (
        <Select
          {...field}
          disabled={fixed}
          value={chosen ?? ""}
          onChange={({ target }) => change({ agent: target.value || null })}
        >
          <option value="">None: these instructions</option>
          {known.map(({ id, name }) => (
            <option key={id} value={id}>
              {name || id}
            </option>
          ))}
          {chosen && data && !known.some(({ id }) => id === chosen) ? (
            <option value={chosen}>{chosen}</option>
          ) : null}
        </Select>
      )}
    </Field>
  );
}

function OwnAgent({ now, set, underWay }: Part & { underWay: boolean }) {
  const { data: all } = useQuery(models);
  const { data: everyVoice } = useQuery(voices);
  const speaking = conversing(everyVoice ?? []);
  return (
    <>
      <Field label="Instructions">
        {(field) => (
          <Textarea
            {...field}
            key={now.instructions}
            rows={5}
            defaultValue={now.instructions}
            onBlur={({ target }) => set({ instructions: target.value })}
            placeholder="Who the agent is, what it knows, and how it speaks."
          />
        )}
      </Field>
      <Field label="Greeting" hint="What the agent says first, word for word. Empty: you begin.">
        {(field) => (
          <Input
            {...field}
            key={now.greeting}
            defaultValue={now.greeting}
            onBlur={({ target }) => set({ greeting: target.value })}
            placeholder="Hello, how can I help?"
          />
        )}
      </Field>
      <div className="flex flex-col gap-5">
        <Field label="Voice">
          {(field) => (
            <Select
              {...field}
              value={now.voice}
              onChange={({ target }) => set({ voice: target.value })}
            >
              {speaking.map(({ voice_id, name }) => (
                <option key={voice_id} value={voice_id}>
                  {name}
                </option>
              ))}
              <Unlisted value={now.voice} known={speaking.map(({ voice_id }) => voice_id)} />
            </Select>
          )}
        </Field>
        <Field label="Model">
          {(field) => (
            <Select
              {...field}
              disabled={underWay}
              value={now.model}
              onChange={({ target }) => change({ model: target.value })}
            >
              {conversational(all ?? []).map((id) => (
                <option key={id}>{id}</option>
              ))}
              <Unlisted value={now.model} known={conversational(all ?? [])} />
            </Select>
          )}
        </Field>
      </div>
      <label className="flex items-center justify-between gap-4 text-sm">
        <span>
          <span className="block font-medium text-[0.8125rem]">Record at the server</span>
          <span className="text-soft text-xs">Kept with the session, both sides</span>
        </span>
        <Switch checked={now.record} onCheckedChange={(record) => set({ record })} />
      </label>
    </>
  );
}

function TranscriberField({ now, set }: Part) {
  const { data: all } = useQuery(models);
  const known = transcribers(all ?? []);
  return (
    <Field label="Who transcribes you" hint="whisper-1 leaves it to the language.">
      {(field) => (
        <Select
          {...field}
          value={now.transcriber}
          onChange={({ target }) => set({ transcriber: target.value })}
        >
          {known.map((id) => (
            <option key={id}>{id}</option>
          ))}
          <Unlisted value={now.transcriber} known={known} />
        </Select>
      )}
    </Field>
  );
}

/** What was chosen once, though the server does not list it (any more, or yet). */
function Unlisted({ value, known }: { value: string; known: readonly string[] }) {
  return known.includes(value) ? null : <option>{value}</option>;
}
