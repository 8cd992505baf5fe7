import type { Config } from "@/api/agents";

/** What stands in a config under a path such as `session.audio.output.voice`. */
export function at(config: Config, path: string): unknown {
  return path.split(".").reduce<unknown>((value, name) => {
    return isObject(value) ? value[name] : undefined;
  }, config);
}

/** The config with this there; undefined takes it away, and what is empty then with it. */
export function having(config: Config, path: string, value: unknown): Config {
  const [name, ...rest] = path.split(".");
  if (name === undefined) return config;
  const below = config[name];
  const next = rest.length ? having(isObject(below) ? below : {}, rest.join("."), value) : value;
  const others = Object.fromEntries(Object.entries(config).filter(([other]) => other !== name));
  const empty =
    next === undefined || (rest.length > 0 && isObject(next) && !Object.keys(next).length);
  if (empty) return others;
  // In its old place, so that the JSON beside does not jump about.
  return name in config
    ? Object.fromEntries(Object.entries(config).map(([n, v]) => [n, n === name ? next : v]))
    : { ...config, [name]: next };
}

/** The text there, or an empty one. */
export function textAt(config: Config, path: string): string {
  const value = at(config, path);
  return typeof value === "string" ? value : "";
}

function isObject(value: unknown): value is Config {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The config in a JSON text. Throws an `Error` that says what is wrong. */
export function configIn(text: string): Config {
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) throw new Error("a config is a JSON object: { … }");
  return value;
}

/** What clients may change of a session, if the agent lets them. */
export const OVERRIDES: readonly (readonly [string, string])[] = [
  ["variables", "Variables"],
  ["instructions", "Instructions"],
  ["voice", "Voice"],
  ["greeting", "Greeting"],
  ["turn_detection", "Turns"],
  ["tools", "Tools"],
  ["sampling", "Sampling"],
  ["limits", "Limits"],
  ["recording", "Recording"],
];

const BY_DEFAULT = ["variables"];

export function overridesOf(config: Config): string[] {
  const value = at(config, "overrides");
  return Array.isArray(value) ? value.map(String) : BY_DEFAULT;
}
