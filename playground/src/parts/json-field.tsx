import { type ReactNode, useState } from "react";
import { said } from "@/api/refusal";
import { Field, Textarea } from "@/ui/field";

interface Props {
  label: string;
  hint?: ReactNode;
  /** What somebody else finds wrong with it. */
  error?: string | undefined;
  rows?: number;
  value: unknown;
  /** Reads the text; throws an `Error` that says what is wrong. */
  read: (text: string) => unknown;
  /** Called with what was read. */
  set: (value: unknown) => void;
}

/** JSON, to be written by hand: a text that is none stays as it is, and says why. */
export function JsonField({ label, hint, error, rows = 10, value, read, set }: Props) {
  const [text, setText] = useState(() =>
    value === undefined ? "" : JSON.stringify(value, null, 2),
  );
  const [wrong, setWrong] = useState<string>();
  const use = (text: string) => {
    setText(text);
    try {
      set(read(text));
      setWrong(undefined);
    } catch (odd) {
      setWrong(said(odd));
    }
  };
  return (
    <Field label={label} error={wrong ?? error} hint={hint}>
      {(field) => (
        <Textarea
          {...field}
          rows={rows}
          value={text}
          spellCheck={false}
          onChange={({ target }) => use(target.value)}
          className="font-mono text-[0.8125rem]"
        />
      )}
    </Field>
  );
}
