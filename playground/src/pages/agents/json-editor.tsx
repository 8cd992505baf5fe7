import type { Config } from "@/api/agents";
import { JsonField } from "@/parts/json-field";
import { configIn } from "./config";

interface Props {
  config: Config;
  setConfig: (config: Config) => void;
}

/** The config as it is kept. */
export function JsonEditor({ config, setConfig }: Props) {
  return (
    <JsonField
      label="Config"
      rows={24}
      value={config}
      read={configIn}
      set={(read) => setConfig(read as Config)}
      hint="All there is to an agent: also its LLM endpoints and their fallbacks. The API documentation names every field."
    />
  );
}
