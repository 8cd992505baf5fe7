import { nameOf } from "./languages";

export interface Voice {
  voice_id: string;
  name: string;
  description: string;
  labels: { [name: string]: string };
  voiceforge: { natural: boolean; converses: boolean; default: boolean; aliases: string[] };
}

/** What is looked for; what is empty is any. */
export interface Sought {
  words: string;
  language: string;
  gender: string;
  kind: "" | "converses" | "natural" | "robotic";
}

export const ANY: Sought = { words: "", language: "", gender: "", kind: "" };

/** The languages of these voices, by name. */
export function languagesOf(voices: readonly Voice[]): [string, string][] {
  const tags = new Set(voices.flatMap(({ labels }) => labels.language ?? []));
  return [...tags]
    .map((tag): [string, string] => [tag, nameOf(tag)])
    .sort(([, a], [, b]) => a.localeCompare(b));
}

/** What a voice speaks, and how: American English; English, with a Japanese accent. */
export function tongueOf({ labels }: Pick<Voice, "labels">): string {
  const { language = "", accent = "" } = labels;
  const from = accent.split("-")[0] ?? "";
  if (!accent || !language || from === language) return nameOf(accent || language);
  return `${nameOf(language)}, with ${article(nameOf(from))} accent`;
}

const article = (name: string) => `${/^[AEIOU]/.test(name) ? "an" : "a"} ${name}`;

/** Those that are all of what is looked for, the best first. */
export function fitting<V extends Voice>(voices: readonly V[], sought: Sought): V[] {
  const wanted = sought.words.toLowerCase().split(/\s+/).filter(Boolean);
  const found = voices.filter((voice) => {
    const { labels, name, description, voice_id, voiceforge } = voice;
    if (sought.language && labels.language !== sought.language) return false;
    if (sought.gender && labels.gender !== sought.gender) return false;
    if (!isA(sought.kind, voiceforge)) return false;
    const told = [
      voice_id,
      name,
      description,
      tongueOf(voice),
      nameOf(labels.language ?? ""),
      ...Object.values(labels),
      ...voiceforge.aliases,
    ];
    const text = told.join(" ").toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
  return found.sort((a, b) => rank(a) - rank(b)); // among equals the server's order stays
}

function isA(kind: Sought["kind"], { natural, converses }: Voice["voiceforge"]): boolean {
  if (kind === "converses") return converses;
  if (kind === "natural") return natural;
  return kind === "" || !natural;
}

function rank({ voiceforge }: Voice): number {
  const { natural, converses } = voiceforge;
  return voiceforge.default ? 0 : converses ? 1 : natural ? 2 : 3;
}
