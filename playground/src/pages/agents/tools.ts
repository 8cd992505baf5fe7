import {
  Globe,
  type LucideIcon,
  Pencil,
  PhoneOff,
  Plug,
  SquareFunction,
  Timer,
} from "lucide-react";
import type { Config } from "@/api/agents";
import { at, having } from "./config";

/** Where tools stand: those that the server runs, and those that the client answers. */
export const SERVERS = "tools";
export const CLIENTS = "session.tools";

export interface Kind {
  type: string;
  name: string;
  about: string;
  icon: LucideIcon;
  place: typeof SERVERS | typeof CLIENTS;
  /** What it begins as. */
  blank: Config;
}

/** Every kind of tool that an agent can have. */
export const KINDS: readonly Kind[] = [
  {
    type: "http",
    name: "HTTP request",
    about: "The server asks an address of yours, and the agent goes on with the answer.",
    icon: Globe,
    place: SERVERS,
    blank: { type: "http", name: "", description: "", url: "", method: "GET" },
  },
  {
    type: "mcp",
    name: "MCP server",
    about: "All tools of an MCP server, or some of them.",
    icon: Plug,
    place: SERVERS,
    blank: { type: "mcp", url: "" },
  },
  {
    type: "function",
    name: "Client function",
    about: "Whoever holds the session answers: your program, or you in the playground.",
    icon: SquareFunction,
    place: CLIENTS,
    blank: { type: "function", name: "", description: "", parameters: { type: "object" } },
  },
  {
    type: "end_call",
    name: "End the call",
    about: "The agent may end the session, with a last sentence.",
    icon: PhoneOff,
    place: SERVERS,
    blank: { type: "end_call" },
  },
  {
    type: "wait",
    name: "Wait",
    about: "The agent may say nothing, and wait for the caller to go on.",
    icon: Timer,
    place: SERVERS,
    blank: { type: "wait" },
  },
  {
    type: "set_variable",
    name: "Note a variable",
    about: "What the agent learns is kept under a name, for its instructions and tools.",
    icon: Pencil,
    place: SERVERS,
    blank: { type: "set_variable", variables: [""] },
  },
];

export function toolsAt(config: Config, place: string): readonly Config[] {
  const tools = at(config, place);
  return Array.isArray(tools) ? tools.filter((tool) => typeof tool === "object" && tool) : [];
}

export function withTools(config: Config, place: string, tools: readonly Config[]): Config {
  return having(config, place, tools.length ? tools : undefined);
}

/** The arguments that an address names, as in `https://shop.example/orders/{order}`. */
export function placeholders(url: string): string[] {
  const bare = url.replace(/\{\{.*?\}\}/g, "");
  return [...bare.matchAll(/\{([A-Za-z_][A-Za-z0-9_]*)\}/g)].flatMap(([, name]) => name ?? []);
}

/** The secrets that these headers name. */
export function secretsIn(headers: unknown): string[] {
  const values = typeof headers === "object" && headers ? Object.values(headers).map(String) : [];
  return values.flatMap((value) =>
    [...value.matchAll(/\{\{\s*secret\.([A-Za-z0-9_.-]+)\s*\}\}/g)].flatMap(
      ([, name]) => name ?? [],
    ),
  );
}
