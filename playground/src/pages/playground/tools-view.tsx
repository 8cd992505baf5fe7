import { Sparkles } from "lucide-react";
import { useState } from "react";
import { said } from "@/api/refusal";
import { isUnderWay } from "@/realtime/call-state";
import { toolsIn } from "@/realtime/setup";
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

/** Functions that the agent may call, and that are answered here. */
export function ToolsView() {
  const { agent } = useStore(setup);
  if (!agent) return <ToolsEditor />;
  return (
    <p className="text-soft text-sm leading-relaxed">
      The agent brings its own tools, and the server runs them. Calls that are yours to answer
      appear in the conversation.
    </p>
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
  const names = tools.map(({ name }) => name).join(", ");
  return (
    <div className="flex flex-col gap-3">
      <Field
        label="Tools"
        error={error}
        hint="A JSON list of functions. When the agent calls one, you are the one who answers, in the conversation."
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
          {error ? "Not in use until it is mended." : `In use: ${names || "none"}.`}
        </p>
      )}
    </div>
  );
}
