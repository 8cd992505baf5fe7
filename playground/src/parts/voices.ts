import { nameOf } from "@/parts/languages";

interface Voice {
  voice_id: string;
  name: string;
  description: string;
  labels: { [name: string]: string };
}

/** The languages of these voices, by name. */
export function languagesOf(voices: readonly Voice[]): [string, string][] {
  const tags = new Set(voices.flatMap(({ labels }) => labels.language ?? []));
  return [...tags]
    .map((tag): [string, string] => [tag, nameOf(tag)])
    .sort(([, a], [, b]) => a.localeCompare(b));
}

/** Those of a language (empty: of any) of which something is told that has all of the words. */
export function fitting<V extends Voice>(
  voices: readonly V[],
  words: string,
  language: string,
): V[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return voices.filter((voice) => {
    const { labels, name, description, voice_id } = voice;
    if (language && labels.language !== language) return false;
    const spoken = labels.language ? nameOf(labels.language) : "";
    const told = [voice_id, name, description, spoken, ...Object.values(labels)]
      .join(" ")
      .toLowerCase();
    return wanted.every((word) => told.includes(word));
  });
}
