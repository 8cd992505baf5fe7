import { expect, test } from "vitest";
import { nameOf } from "./languages";
import { ANY, fitting, languagesOf, type Sought, tongueOf } from "./voices";

const voice = (
  voice_id: string,
  labels: { [name: string]: string },
  own: { natural?: boolean; converses?: boolean; default?: boolean; aliases?: string[] } = {},
) => ({
  voice_id,
  name: voice_id.toUpperCase(),
  description: "",
  labels,
  voiceforge: { natural: false, converses: false, default: false, aliases: [], ...own },
});

const voices = [
  voice("e-fr", { language: "fr", accent: "fr", gender: "male" }),
  voice("x", { language: "x_not_a_tag!" }),
  voice("thorsten", { language: "de", accent: "de-DE", gender: "male" }, { natural: true }),
  voice(
    "jf",
    { language: "en", accent: "ja-JP", gender: "female" },
    { natural: true, converses: true },
  ),
  voice(
    "joe",
    { language: "en", accent: "en-US", gender: "male" },
    { natural: true, converses: true, default: true, aliases: ["alloy"] },
  ),
];
const ids = (sought: Partial<Sought>) =>
  fitting(voices, { ...ANY, ...sought }).map(({ voice_id }) => voice_id);

test("the best come first: the default, those that converse, the natural ones", () => {
  expect(ids({})).toEqual(["joe", "jf", "thorsten", "e-fr", "x"]);
});

test("voices are found by what is told of them, by their language's name, their accent's, and an alias", () => {
  expect(ids({ words: "JOE american" })).toEqual(["joe"]);
  expect(ids({ words: "french male" })).toEqual(["e-fr"]);
  expect(ids({ words: "japanese" })).toEqual(["jf"]);
  expect(ids({ words: "english" })).toEqual(["joe", "jf"]);
  expect(ids({ words: "alloy" })).toEqual(["joe"]);
});

test("filters hold together", () => {
  expect(ids({ language: "en", gender: "female" })).toEqual(["jf"]);
  expect(ids({ words: "joe", language: "fr" })).toEqual([]);
  expect(ids({ kind: "converses" })).toEqual(["joe", "jf"]);
  expect(ids({ kind: "natural" })).toEqual(["joe", "jf", "thorsten"]);
  expect(ids({ kind: "robotic" })).toEqual(["e-fr", "x"]);
});

test("what a voice speaks is told in words", () => {
  const told = (labels: { [name: string]: string }) => tongueOf({ labels });
  expect(told({ language: "en", accent: "en-US" })).toBe("American English");
  expect(told({ language: "en", accent: "ja-JP" })).toBe("English, with a Japanese accent");
  expect(told({ language: "de" })).toBe("German");
});

test("a language without a name is called by its tag", () => {
  expect(nameOf("x_not_a_tag!")).toBe("x_not_a_tag!");
  expect(languagesOf(voices)).toContainEqual(["fr", "French"]);
});
