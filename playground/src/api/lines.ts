/** The lines of an answer, as they come. */
export async function* linesOf(response: Response): AsyncGenerator<string> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) return;
  let held = "";
  for (;;) {
    const { value, done } = await reader.read();
    const lines = (held + (value ?? "")).split("\n");
    held = done ? "" : (lines.pop() ?? "");
    yield* lines.filter((line) => line.trim());
    if (done) return;
  }
}
