import { Plus } from "lucide-react";
import { useState } from "react";
import type { Config } from "@/api/agents";
import { said } from "@/api/refusal";
import { Button } from "@/ui/button";
import { Field, Textarea } from "@/ui/field";
import { at, EXAMPLE_TOOLS, having } from "./config";

interface Props {
  config: Config;
  setConfig: (config: Config) => void;
}

/** What it may do: the server runs these, and the client need not know. */
export function ToolsForm({ config, setConfig }: Props) {
  const [text, setText] = useState(() => JSON.stringify(at(config, "tools") ?? [], null, 2));
  const [error, setError] = useState<string>();
  const use = (text: string) => {
    setText(text);
    try {
      const tools: unknown = JSON.parse(text || "[]");
      if (!Array.isArray(tools)) throw new Error("tools are a JSON list: [ … ]");
      setConfig(having(config, "tools", tools.length ? tools : undefined));
      setError(undefined);
    } catch (wrong) {
      setError(said(wrong));
    }
  };
  const add = (tool: unknown) => {
    const tools = at(config, "tools");
    use(JSON.stringify([...(Array.isArray(tools) ? tools : []), tool], null, 2));
  };
  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-wrap gap-2">
        {Object.entries(EXAMPLE_TOOLS).map(([name, tool]) => (
          <Button key={name} size="sm" disabled={error !== undefined} onClick={() => add(tool)}>
            <Plus aria-hidden /> {name}
          </Button>
        ))}
      </div>
      <Field
        label="Tools"
        error={error}
        hint={
          <>
            In headers, <code>{"{{secret.NAME}}"}</code> is a secret of the account.
          </>
        }
      >
        {(field) => (
          <Textarea
            {...field}
            rows={18}
            value={text}
            spellCheck={false}
            onChange={({ target }) => use(target.value)}
            className="font-mono text-[0.8125rem]"
          />
        )}
      </Field>
    </div>
  );
}
