import { useState } from "react";
import type { Config } from "@/api/agents";
import { said } from "@/api/refusal";
import { Field, Textarea } from "@/ui/field";
import { configIn } from "./config";

interface Props {
  config: Config;
  setConfig: (config: Config) => void;
}

/** The config as it is kept. */
export function JsonEditor({ config, setConfig }: Props) {
  const [text, setText] = useState(() => JSON.stringify(config, null, 2));
  const [error, setError] = useState<string>();
  const use = (text: string) => {
    setText(text);
    try {
      setConfig(configIn(text));
      setError(undefined);
    } catch (wrong) {
      setError(said(wrong));
    }
  };
  return (
    <Field
      label="Config"
      error={error}
      hint="All there is to an agent: also its LLM endpoints, knowledge, pronunciation, webhook and what is extracted afterwards. The API documentation names every field."
    >
      {(field) => (
        <Textarea
          {...field}
          rows={24}
          value={text}
          spellCheck={false}
          onChange={({ target }) => use(target.value)}
          className="font-mono text-[0.8125rem]"
        />
      )}
    </Field>
  );
}
