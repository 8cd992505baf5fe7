import type { Config } from "@/api/agents";
import { Notice } from "@/ui/notice";
import { having, overridesOf } from "./config";
import { useFault } from "./faults";
import { Pairs } from "./pairs";
import { notable, VARIABLES, variablesOf, wanting } from "./variables";

interface Props {
  config: Config;
  setConfig: (config: Config) => void;
}

/** What differs from session to session, and what it is where nobody says. */
export function VariablesForm({ config, setConfig }: Props) {
  const missing = wanting(config);
  const noted = notable(config);
  const open = overridesOf(config).includes("variables");
  return (
    <div className="flex flex-col gap-5">
      <p className="max-w-prose text-soft text-sm leading-relaxed">
        <code>{"{{name}}"}</code> in the instructions, the greeting, and a tool’s address or headers
        stands for a variable. What it is here holds where the session brings nothing else.
      </p>
      <Pairs
        legend="Variables"
        called={["Variable", "Value of variable"]}
        placeholders={["customer_name", "the value, where none is brought"]}
        add="Add a variable"
        pairs={variablesOf(config)}
        set={(pairs) =>
          setConfig(having(config, VARIABLES, Object.keys(pairs).length ? pairs : undefined))
        }
        error={useFault(`config.${VARIABLES}`)}
      />
      {missing.length ? (
        <Notice kind={open ? "info" : "warn"} title={missing.map((n) => `{{${n}}}`).join(", ")}>
          {open
            ? "No value is here: every session has to bring one, or it is refused. Give one, and sessions begin without."
            : "No value is here, and clients may not bring one: sessions would be refused. Give one, or let clients change variables."}
        </Notice>
      ) : null}
      {noted.length ? (
        <p className="text-soft text-sm leading-relaxed">
          The agent itself may note <code>{noted.join(", ")}</code>, with its tool.
        </p>
      ) : null}
    </div>
  );
}
