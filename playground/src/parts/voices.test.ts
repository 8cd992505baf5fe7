import { expect, test } from "vitest";
import { nameOf } from "@/parts/languages";
import { fitting, languagesOf } from "./fitting";

const voices = [
  {
    voice_id: "joe",
    name: "Joe",
    description: "Piper's joe.",
    labels: { language: "en", accent: "en-US" },
  },
  { voice_id: "e-fr", name: "French", description: "", labels: { language: "fr", gender: "male" } },
  { voice_id: "x", name: "Odd", description: "", labels: { language: "x_not_a_tag!" } },
];
const ids = (words: string, language = "") =>
  fitting(voices, words, language).map((v) => v.voice_id);

test("voices are found by what is told of them, and by their language's name", () => {
  expect(ids("")).toEqual(["joe", "e-fr", "x"]);
  expect(ids("JOE us")).toEqual(["joe"]);
  expect(ids("french male")).toEqual(["e-fr"]);
  expect(ids("english")).toEqual(["joe"]);
  expect(ids("joe", "fr")).toEqual([]);
});

test("a language without a name is called by its tag", () => {
  expect(nameOf("x_not_a_tag!")).toBe("x_not_a_tag!");
  expect(languagesOf(voices)).toContainEqual(["fr", "French"]);
});
