import { createContext, useContext } from "react";
import { Refusal } from "@/api/refusal";

/** What the server found wrong in what was to be saved, and where. */
interface Fault {
  /** Such as `config.tools[0].url`. */
  place: string;
  text: string;
}

/** The fault in a refusal, if it names a place. */
export function faultOf(error: unknown): Fault | null {
  if (!(error instanceof Refusal) || !error.param) return null;
  const { param: place, message } = error;
  const from = message.indexOf(`${place}: `);
  return { place, text: from < 0 ? message : message.slice(from + place.length + 2) };
}

/** Whether a fault at `place` is one of what stands at `path`, or below it. */
export function concerns(path: string, place: string): boolean {
  return place === path || place.startsWith(`${path}.`) || place.startsWith(`${path}[`);
}

export const FaultContext = createContext<Fault | null>(null);

/** What is wrong with what stands there. */
export function useFault(path: string): string | undefined {
  const fault = useContext(FaultContext);
  return fault && concerns(path, fault.place) ? fault.text : undefined;
}

/** The parts of the editor, and what of an agent each of them shows. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  tools: ["config.tools", "config.session.tools"],
  knowledge: ["config.knowledge", "config.pronunciation"],
  variables: ["config.session.voiceforge.variables"],
  webhooks: ["config.incoming", "config.afterwards"],
  form: [
    "name",
    "config.session.instructions",
    "config.session.voiceforge.greeting",
    "config.session.audio",
    "config.overrides",
  ],
};

/** The part of the editor that shows what is at fault; all of it is in the JSON. */
export function partOf({ place }: Fault): string {
  const found = Object.entries(PARTS).find(([, paths]) =>
    paths.some((path) => concerns(path, place)),
  );
  return found?.[0] ?? "json";
}
