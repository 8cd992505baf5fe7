import { useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import type { Config } from "@/api/agents";
import { voices } from "@/api/names";
import { conversing } from "@/realtime/names";
import { cn } from "@/ui/cn";
import { Field, Input, Select, Textarea } from "@/ui/field";
import { at, having, OVERRIDES, overridesOf, textAt } from "./config";
import { useFault } from "./faults";
import { Toggle } from "./toggle";

interface Props {
  name: string;
  setName: (name: string) => void;
  config: Config;
  setConfig: (config: Config) => void;
}

const GREETING = "session.voiceforge.greeting";
const VOICE = "session.audio.output.voice";
const TURNS = "session.audio.input.turn_detection";
const RECORD = "session.voiceforge.record";

/** What most agents need; the rest is in the JSON. */
export function AgentForm({ name, setName, config, setConfig }: Props) {
  const set = (path: string, value: unknown) => setConfig(having(config, path, value));
  const text = textAt(config, `${GREETING}.text`);
  // What stands beside a text that is taken away and written anew, or for turns of another kind.
  const beside = useRef<object>({});
  const kinds = useRef<{ [type: string]: unknown }>({});
  const greet = (text: string) => {
    beside.current = at(config, GREETING) ?? beside.current;
    set(GREETING, text ? { ...beside.current, text } : undefined);
  };
  const end = (type: string) => {
    kinds.current[turnsOf(config)] = at(config, TURNS);
    set(TURNS, type ? (kinds.current[type] ?? { type }) : undefined);
  };
  return (
    <div className="flex flex-col gap-6">
      <Field label="Name" error={useFault("name")}>
        {(field) => (
          <Input
            {...field}
            value={name}
            onChange={({ target }) => setName(target.value)}
            placeholder="Harbour office"
            maxLength={200}
            required
          />
        )}
      </Field>
      <Field
        label="Instructions"
        error={useFault("config.session.instructions")}
        hint={
          <>
            Write as to a new colleague. <code>{"{{name}}"}</code> stands for a variable of the
            session.
          </>
        }
      >
        {(field) => (
          <Textarea
            {...field}
            rows={9}
            value={textAt(config, "session.instructions")}
            onChange={({ target }) => set("session.instructions", target.value || undefined)}
          />
        )}
      </Field>
      <Field
        label="Greeting"
        hint="What it says first, word for word. Empty: the caller begins."
        error={useFault(`config.${GREETING}`)}
      >
        {(field) => (
          <Input
            {...field}
            value={text}
            onChange={({ target }) => greet(target.value)}
            placeholder="Harbour office, good morning. How can I help?"
          />
        )}
      </Field>
      <div className="grid gap-6 sm:grid-cols-2">
        <VoiceField value={textAt(config, VOICE)} set={(voice) => set(VOICE, voice)} />
        <Field label="Turns end" error={useFault(`config.${TURNS}`)}>
          {(field) => (
            <Select {...field} value={turnsOf(config)} onChange={({ target }) => end(target.value)}>
              <option value="">as the client asks</option>
              <option value="semantic_vad">by what was said, and how</option>
              <option value="server_vad">after a silence</option>
            </Select>
          )}
        </Field>
      </div>
      <Overrides config={config} set={set} />
      <Toggle
        title="Record its sessions"
        about="Both sides, kept as long as the account keeps its records."
        checked={at(config, RECORD) === true}
        set={(record) => set(RECORD, record || undefined)}
      />
    </div>
  );
}

function turnsOf(config: Config): string {
  return textAt(config, `${TURNS}.type`);
}

function VoiceField({ value, set }: { value: string; set: (voice: string | undefined) => void }) {
  const { data } = useQuery(voices);
  const known = conversing(data ?? []);
  return (
    <Field label="Voice" error={useFault(`config.${VOICE}`)}>
      {(field) => (
        <Select {...field} value={value} onChange={({ target }) => set(target.value || undefined)}>
          <option value="">The server’s own</option>
          {known.map(({ voice_id, name }) => (
            <option key={voice_id} value={voice_id}>
              {name}
            </option>
          ))}
          {value && !known.some(({ voice_id }) => voice_id === value) ? (
            <option>{value}</option>
          ) : null}
        </Select>
      )}
    </Field>
  );
}

interface OverridesProps {
  config: Config;
  set: (path: string, value: unknown) => void;
}

function Overrides({ config, set }: OverridesProps) {
  const allowed = overridesOf(config);
  const flip = (name: string) => {
    const next = OVERRIDES.map(([one]) => one).filter((one) =>
      one === name ? !allowed.includes(one) : allowed.includes(one),
    );
    set("overrides", next);
  };
  return (
    <fieldset className="flex flex-col gap-2">
      <legend className="mb-2 font-medium text-[0.8125rem]">What clients may change</legend>
      <div className="flex flex-wrap gap-2">
        {OVERRIDES.map(([name, label]) => (
          <label
            key={name}
            className={cn(
              "cursor-pointer rounded-full border px-3 py-1.5 text-[0.8125rem] transition-[background,border-color,color] has-focus-visible:outline-2 has-focus-visible:outline-royal-ink",
              allowed.includes(name)
                ? "border-royal-ink bg-royal-tint text-royal-ink"
                : "border-edge bg-sunken text-soft hover:border-edge-strong",
            )}
          >
            <input
              type="checkbox"
              className="sr-only"
              checked={allowed.includes(name)}
              onChange={() => flip(name)}
            />
            {label}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
