import { expect, test } from "vitest";
import type { Rule } from "@/api/dictionaries";
import { BLANK, lineOf, rulesOf } from "./rules";

const rules: Rule[] = [
  {
    type: "alias",
    string_to_replace: "NASA",
    alias: "nassa",
    case_sensitive: false,
    word_boundaries: true,
  },
  {
    type: "phoneme",
    string_to_replace: "Kiel",
    phoneme: "kiːl",
    alphabet: "ipa",
    case_sensitive: true,
    word_boundaries: false,
  },
];

test("rules become lines and come back as they were", () => {
  expect(rulesOf(rules.map(lineOf))).toEqual(rules);
});

test("lines that say nothing are none", () => {
  expect(rulesOf([BLANK, { ...BLANK, written: "x" }, { ...BLANK, said: " " }])).toEqual([]);
});
