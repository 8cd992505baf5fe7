import type { Rule } from "@/api/dictionaries";

/** How a rule says what is said: as another text, or by sounds in one of two alphabets. */
export const WAYS = [
  ["alias", "as"],
  ["ipa", "in IPA"],
  ["cmu-arpabet", "in ARPAbet"],
] as const;

export type Way = (typeof WAYS)[number][0];

/** A rule as a form shows it. */
export interface Line {
  written: string;
  way: Way;
  said: string;
  /** In any case: Nasa and NASA. */
  anyCase: boolean;
  /** Also where it is only a part of a word. */
  inside: boolean;
}

export const BLANK: Line = { written: "", way: "alias", said: "", anyCase: false, inside: false };

export function lineOf(rule: Rule): Line {
  const { string_to_replace: written, case_sensitive, word_boundaries } = rule;
  const flags = { anyCase: case_sensitive === false, inside: word_boundaries === false };
  if (rule.type === "alias") return { written, way: "alias", said: rule.alias, ...flags };
  const way = rule.alphabet === "ipa" ? "ipa" : "cmu-arpabet";
  return { written, way, said: rule.phoneme, ...flags };
}

/** The rules of those lines that say something. */
export function rulesOf(lines: readonly Line[]): Rule[] {
  return lines.flatMap(({ written, way, said, anyCase, inside }): Rule[] => {
    if (!written.trim() || !said.trim()) return [];
    const common = {
      string_to_replace: written.trim(),
      case_sensitive: !anyCase,
      word_boundaries: !inside,
    };
    if (way === "alias") return [{ type: "alias", alias: said.trim(), ...common }];
    return [{ type: "phoneme", phoneme: said.trim(), alphabet: way, ...common }];
  });
}
