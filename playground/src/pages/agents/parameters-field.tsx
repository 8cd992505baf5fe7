import { Braces, List, Plus, X } from "lucide-react";
import { useState } from "react";
import { JsonField } from "@/parts/json-field";
import { Button } from "@/ui/button";
import { Input, Select } from "@/ui/field";
import { configIn } from "./config";
import { useFault } from "./faults";
import { type Parameter, parametersOf, schemaOf, TYPES } from "./parameters";

interface Props {
  value: unknown;
  set: (schema: unknown) => void;
  path: string;
}

const BLANK: Parameter = { name: "", type: "string", description: "", required: true, more: {} };

/** What the agent fills in when it calls a tool: a list of arguments, or a JSON Schema. */
export function ParametersField({ value, set, path }: Props) {
  const error = useFault(path);
  const plain = parametersOf(value) !== null;
  const [asJson, setAsJson] = useState(!plain);
  return (
    <fieldset className="flex min-w-0 flex-col gap-2">
      <legend className="sr-only">Arguments</legend>
      <div className="flex items-center justify-between gap-3">
        <span aria-hidden className="font-medium text-[0.8125rem]">
          Arguments
        </span>
        <Button
          size="sm"
          variant="quiet"
          disabled={asJson && !plain}
          onClick={() => setAsJson(!asJson)}
        >
          {asJson ? <List aria-hidden /> : <Braces aria-hidden />}
          {asJson ? "As a list" : "As JSON"}
        </Button>
      </div>
      {asJson ? (
        <JsonField
          label="JSON Schema"
          value={value ?? { type: "object" }}
          read={configIn}
          set={set}
          error={error}
          hint={plain ? undefined : "It says more than a list could show."}
        />
      ) : (
        <>
          <Rows value={value} set={set} />
          {error ? (
            <p role="alert" className="text-bad text-xs">
              {error}
            </p>
          ) : null}
        </>
      )}
    </fieldset>
  );
}

function Rows({ value, set }: Omit<Props, "path">) {
  const [rows, setRows] = useState(() => parametersOf(value) ?? []);
  const use = (rows: Parameter[]) => {
    setRows(rows);
    set(
      schemaOf(
        rows.filter(({ name }) => name),
        value,
      ),
    );
  };
  const change = (at: number, part: Partial<Parameter>) =>
    use(rows.map((row, index) => (index === at ? { ...row, ...part } : row)));
  return (
    <>
      {rows.map(({ name, type, description, required }, at) => (
        <div
          // biome-ignore lint/suspicious/noArrayIndexKey: the fields hold no state of their own
          key={at}
          className="grid grid-cols-[minmax(0,1fr)_7.5rem_auto] gap-2 rounded-2xl border border-edge p-3"
        >
          <Input
            aria-label={`Argument ${at + 1}`}
            value={name}
            onChange={({ target }) => change(at, { name: target.value.trim() })}
            placeholder="order"
            spellCheck={false}
            className="font-mono text-[0.8125rem]"
          />
          <Select
            aria-label={`Type of argument ${at + 1}`}
            value={type}
            onChange={({ target }) => change(at, { type: target.value })}
          >
            {TYPES.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </Select>
          <Button
            variant="quiet"
            size="icon"
            aria-label={`Remove argument ${name || at + 1}`}
            onClick={() => use(rows.filter((_, index) => index !== at))}
          >
            <X aria-hidden />
          </Button>
          <Input
            aria-label={`What argument ${at + 1} is`}
            value={description}
            onChange={({ target }) => change(at, { description: target.value })}
            placeholder="What it is, in words for the agent"
            className="max-sm:col-span-3"
          />
          <label className="flex cursor-pointer items-center gap-2 text-sm sm:col-span-2">
            <input
              type="checkbox"
              checked={required}
              onChange={({ target }) => change(at, { required: target.checked })}
              className="size-4 accent-royal"
            />
            needed
          </label>
        </div>
      ))}
      <Button
        size="sm"
        variant="quiet"
        className="self-start"
        onClick={() => setRows([...rows, BLANK])}
      >
        <Plus aria-hidden /> Add an argument
      </Button>
    </>
  );
}
