import type { Config } from "@/api/agents";
import { at, textAt } from "./config";
import { SERVERS, toolsAt } from "./tools";

export const VARIABLES = "session.voiceforge.variables";

/** What the agent has a value for. */
export function variablesOf(config: Config): { [name: string]: string } {
  const variables = at(config, VARIABLES);
  if (typeof variables !== "object" || variables === null) return {};
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name, String(value)]),
  );
}

/**
 * What the instructions or the greeting name and nobody has a value for: whoever begins a session
 * has to bring it.
 */
export function wanting(config: Config): string[] {
  const texts = [
    textAt(config, "session.instructions"),
    textAt(config, "session.voiceforge.greeting.text"),
  ];
  const named = texts.flatMap((text) =>
    [...text.matchAll(/\{\{\s*([A-Za-z_][A-Za-z0-9_.]*)\s*\}\}/g)].flatMap(
      ([, name]) => name ?? [],
    ),
  );
  const known = variablesOf(config);
  return [...new Set(named)].filter((name) => !(name in known));
}

/** What its tools may note. */
export function notable(config: Config): string[] {
  return toolsAt(config, SERVERS)
    .filter(({ type }) => type === "set_variable")
    .flatMap(({ variables }) => (Array.isArray(variables) ? variables.map(String) : []))
    .filter(Boolean);
}
