import { CornerDownLeft } from "lucide-react";
import { type FormEvent, useState } from "react";
import { type Entry, pendingCalls, type Transcript } from "@/realtime/transcript";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Field, Textarea } from "@/ui/field";
import { call } from "./current-call";

/** What the agent asks of the client: somebody here has to be the function. */
export function PendingCalls({ transcript }: { transcript: Transcript }) {
  return pendingCalls(transcript).map((entry) => <Pending key={entry.id} entry={entry} />);
}

function Pending({ entry }: { entry: Entry }) {
  const [output, setOutput] = useState("");
  const { call: asked } = entry;
  if (!asked) return null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    call.answer(asked.id, output);
  };
  return (
    <form
      onSubmit={submit}
      className="flex animate-rise flex-col gap-3 rounded-2xl bg-warn-tint p-4"
    >
      <header className="flex items-center justify-between gap-2">
        <h3 className="truncate font-mono font-semibold text-sm">{asked.name}</h3>
        <Badge tone="warn">waits for you</Badge>
      </header>
      <pre className="overflow-x-auto rounded-lg bg-solid px-3 py-2 font-mono text-xs leading-relaxed">
        {pretty(asked.arguments)}
      </pre>
      <Field label="Your answer" hint="Text or JSON, as the function would return it.">
        {(field) => (
          <Textarea
            {...field}
            value={output}
            onChange={({ target }) => setOutput(target.value)}
            className="min-h-16 bg-solid font-mono text-[0.8125rem]"
            required
          />
        )}
      </Field>
      <Button type="submit" variant="primary" size="sm" className="self-end">
        <CornerDownLeft aria-hidden /> Answer
      </Button>
    </form>
  );
}

function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json; // what a model writes need not be JSON
  }
}
