/** The same call of the API, for who wants to make it from elsewhere. */

export interface ApiCall {
  method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  path: string;
  body?: unknown;
  /** Fields of a form, instead of a body; a file by its name, with an @ before it. */
  form?: Readonly<Record<string, string>>;
  /** Where an answer that is no JSON goes. */
  saveAs?: string;
}

export const LANGUAGES = ["curl", "Python", "JavaScript"] as const;

export type Language = (typeof LANGUAGES)[number];

/** The call in one of the languages; `origin` is the server's. */
export function asCode(call: ApiCall, language: Language, origin: string): string {
  return { curl, Python: python, JavaScript: javascript }[language](call, origin + call.path);
}

function curl({ method, body, form, saveAs }: ApiCall, url: string): string {
  const lines = [`curl ${method === "GET" ? "" : `-X ${method} `}${shell(url)}`];
  lines.push('-H "Authorization: Bearer $VOICEFORGE_API_KEY"');
  if (body !== undefined) {
    lines.push('-H "Content-Type: application/json"', `-d ${shell(JSON.stringify(body))}`);
  }
  for (const [name, value] of Object.entries(form ?? {}))
    lines.push(`-F ${shell(`${name}=${value}`)}`);
  if (saveAs) lines.push(`-o ${shell(saveAs)}`);
  return lines.join(" \\\n  ");
}

function python({ method, body, form, saveAs }: ApiCall, url: string): string {
  const files = entries(form, true).map(
    ([name, file]) => `${literal(name)}: open(${literal(file)}, "rb")`,
  );
  const fields = entries(form, false).map(([name, value]) => `${literal(name)}: ${literal(value)}`);
  const options = [
    'headers={"Authorization": f"Bearer {os.environ[\'VOICEFORGE_API_KEY\']}"}',
    ...(body === undefined ? [] : [`json=${pythonic(body)}`]),
    ...(files.length ? [`files={${files.join(", ")}}`] : []),
    ...(fields.length ? [`data={${fields.join(", ")}}`] : []),
  ];
  return [
    "import os",
    "",
    "import httpx",
    "",
    "answer = httpx.request(",
    `    ${literal(method)},`,
    `    ${literal(url)},`,
    ...options.map((option) => `    ${option},`),
    ")",
    "answer.raise_for_status()",
    saveAs ? `open(${literal(saveAs)}, "wb").write(answer.content)` : "print(answer.json())",
  ].join("\n");
}

function javascript({ method, body, form, saveAs }: ApiCall, url: string): string {
  const json = body === undefined ? [] : ['"Content-Type": "application/json"'];
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the code's own template
  const headers = ["Authorization: `Bearer ${process.env.VOICEFORGE_API_KEY}`", ...json];
  const appended = Object.entries(form ?? {}).map(([name, value]) =>
    value.startsWith("@")
      ? `form.append(${literal(name)}, await openAsBlob(${literal(value.slice(1))}));`
      : `form.append(${literal(name)}, ${literal(value)});`,
  );
  return [
    ...(appended.length ? ['import { openAsBlob } from "node:fs";', ""] : []),
    ...(saveAs ? ['import { writeFile } from "node:fs/promises";', ""] : []),
    ...(appended.length ? ["const form = new FormData();", ...appended] : []),
    `const answer = await fetch(${literal(url)}, {`,
    `  method: ${literal(method)},`,
    `  headers: { ${headers.join(", ")} },`,
    ...(body === undefined ? [] : [`  body: JSON.stringify(${JSON.stringify(body)}),`]),
    ...(appended.length ? ["  body: form,"] : []),
    "});",
    "if (!answer.ok) throw new Error(await answer.text());",
    saveAs
      ? `await writeFile(${literal(saveAs)}, Buffer.from(await answer.arrayBuffer()));`
      : "console.log(await answer.json());",
  ].join("\n");
}

function entries(form: ApiCall["form"], files: boolean): [string, string][] {
  return Object.entries(form ?? {})
    .filter(([, value]) => value.startsWith("@") === files)
    .map(([name, value]) => [name, files ? value.slice(1) : value]);
}

/** In single quotes, in which a POSIX shell changes nothing. */
function shell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

const literal = (text: string) => JSON.stringify(text);

const PYTHONIC = new Map<unknown, string>([
  [null, "None"],
  [true, "True"],
  [false, "False"],
]);

function pythonic(value: unknown): string {
  const constant = PYTHONIC.get(value);
  if (constant) return constant;
  if (Array.isArray(value)) return `[${value.map(pythonic).join(", ")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  const fields = Object.entries(value as object).filter(([, one]) => one !== undefined);
  return `{${fields.map(([name, one]) => `${literal(name)}: ${pythonic(one)}`).join(", ")}}`;
}
