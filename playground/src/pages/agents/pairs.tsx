import { Plus, X } from "lucide-react";
import { type ReactNode, useId, useState } from "react";
import { Button } from "@/ui/button";
import { Input } from "@/ui/field";

interface Row {
  id: number;
  name: string;
  value: string;
}

interface Props {
  legend: string;
  hint?: ReactNode;
  error?: string | undefined;
  /** What a name and a value are called, to who cannot see the columns. */
  called: readonly [string, string];
  placeholders: readonly [string, string];
  /** Values that are likely. */
  suggested?: readonly string[];
  add: string;
  pairs: { [name: string]: string };
  set: (pairs: { [name: string]: string }) => void;
}

let made = 0;

function row(name = "", value = ""): Row {
  made += 1;
  return { id: made, name, value };
}

/** Names with their values, a row each. */
export function Pairs({ legend, hint, error, called, pairs, set, ...props }: Props) {
  const [rows, setRows] = useState(() => Object.entries(pairs).map(([n, v]) => row(n, v)));
  const list = useId();
  const use = (rows: Row[]) => {
    setRows(rows);
    set(Object.fromEntries(rows.flatMap(({ name, value }) => (name ? [[name, value]] : []))));
  };
  const change = (id: number, part: Partial<Row>) =>
    use(rows.map((one) => (one.id === id ? { ...one, ...part } : one)));
  const twice = rows.find(({ name }, at) => name && rows.some((o, i) => i < at && o.name === name));
  const told =
    error ?? (twice ? `${twice.name} stands here twice: the last one counts` : undefined);
  return (
    <fieldset className="flex min-w-0 flex-col gap-2">
      <legend className="mb-1.5 font-medium text-[0.8125rem]">{legend}</legend>
      {rows.map(({ id, name, value }, at) => (
        <div key={id} className="grid grid-cols-[minmax(0,2fr)_minmax(0,3fr)_auto] gap-2">
          <Input
            aria-label={`${called[0]} ${at + 1}`}
            value={name}
            onChange={({ target }) => change(id, { name: target.value.trim() })}
            placeholder={props.placeholders[0]}
            autoComplete="off"
            spellCheck={false}
            className="font-mono text-[0.8125rem]"
          />
          <Input
            aria-label={`${called[1]} ${at + 1}`}
            value={value}
            onChange={({ target }) => change(id, { value: target.value })}
            placeholder={props.placeholders[1]}
            list={props.suggested?.length ? list : undefined}
            autoComplete="off"
          />
          <Button
            variant="quiet"
            size="icon"
            aria-label={`Remove ${name || `${called[0]} ${at + 1}`}`}
            onClick={() => use(rows.filter((one) => one.id !== id))}
          >
            <X aria-hidden />
          </Button>
        </div>
      ))}
      <datalist id={list}>
        {props.suggested?.map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
      <Button
        size="sm"
        variant="quiet"
        className="self-start"
        onClick={() => setRows([...rows, row()])}
      >
        <Plus aria-hidden /> {props.add}
      </Button>
      {told ? (
        <p role="alert" className="text-bad text-xs leading-relaxed">
          {told}
        </p>
      ) : hint ? (
        <p className="text-soft text-xs leading-relaxed">{hint}</p>
      ) : null}
    </fieldset>
  );
}
