import { CornerDownLeft, Sparkles } from "lucide-react";
import { type FormEvent, useState } from "react";
import { said } from "@/api/refusal";
import { isUnderWay } from "@/realtime/call-state";
import { toolsIn } from "@/realtime/setup";
import { type Entry, pendingCalls } from "@/realtime/transcript";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Field, Textarea } from "@/ui/field";
import { useStore } from "@/use-store";
import { call, change, setup } from "./current-call";

const EXAMPLE = `[
  {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city, now.",
    "parameters": {
      "type": "object",
      "properties": { "city": { "type": "string" } },
      "required": ["city"]
    }
  }
]`;

/** Functions that the agent may call, and the calls that wait for an answer from here. */
export function ToolsView() {
  const state = useStore(call.store);
  const { agent } = useStore(setup);
  const pending = pendingCalls(state.transcript);
  return (
    <div className="flex flex-col gap-5">
      {pending.map((entry) => (
        <Pending key={entry.id} entry={entry} />
      ))}
      {agent ? (
        <p className="text-soft text-sm leading-relaxed">
          The agent brings its own tools, and the server runs them. Calls that are yours to answer
          appear here.
        </p>
      ) : (
        <ToolsEditor />
      )}
    </div>
  );
}

function Pending({ entry }: { entry: Entry }) {
  const [output, setOutput] = useState("");
  const { call: asked } = entry;
  if (!asked) return null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    call.answer(asked.id, output);
  };
  return (
    <form
      onSubmit={submit}
      className="flex animate-rise flex-col gap-3 rounded-2xl bg-warn-tint p-4"
    >
      <header className="flex items-center justify-between gap-2">
        <h3 className="truncate font-mono font-semibold text-sm">{asked.name}</h3>
        <Badge tone="warn">waits for you</Badge>
      </header>
      <pre className="overflow-x-auto rounded-lg bg-sunken px-3 py-2 font-mono text-xs leading-relaxed">
        {pretty(asked.arguments)}
      </pre>
      <Field label="Your answer" hint="Text or JSON, as the function would return it.">
        {(field) => (
          <Textarea
            {...field}
            value={output}
            onChange={({ target }) => setOutput(target.value)}
            className="font-mono text-[0.8125rem]"
            required
          />
        )}
      </Field>
      <Button type="submit" variant="primary" size="sm" className="self-end">
        <CornerDownLeft aria-hidden /> Answer
      </Button>
    </form>
  );
}

function ToolsEditor() {
  const { tools } = useStore(setup);
  const underWay = isUnderWay(useStore(call.store));
  const [text, setText] = useState(() => (tools.length ? JSON.stringify(tools, null, 2) : ""));
  const [error, setError] = useState<string>();
  const use = (text: string) => {
    setText(text);
    try {
      change({ tools: toolsIn(text) });
      setError(undefined);
    } catch (wrong) {
      setError(said(wrong));
    }
  };
  const apply = () => {
    if (!error && underWay) call.configure(setup.get());
  };
  return (
    <div className="flex flex-col gap-3">
      <Field
        label="Tools"
        error={error}
        hint="A JSON list of functions. When the agent calls one, you are the one who answers."
      >
        {(field) => (
          <Textarea
            {...field}
            value={text}
            onChange={({ target }) => use(target.value)}
            onBlur={apply}
            spellCheck={false}
            rows={12}
            placeholder="[]"
            className="font-mono text-[0.8125rem]"
          />
        )}
      </Field>
      {text.trim() === "" ? (
        <Button size="sm" className="self-start" onClick={() => use(EXAMPLE)}>
          <Sparkles aria-hidden /> Begin with an example
        </Button>
      ) : (
        <p className="text-soft text-xs" aria-live="polite">
          {error
            ? "Not in use until it is mended."
            : `In use: ${tools.map(({ name }) => name).join(", ") || "none"}.`}
        </p>
      )}
    </div>
  );
}

function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json; // what a model writes need not be JSON
  }
}
