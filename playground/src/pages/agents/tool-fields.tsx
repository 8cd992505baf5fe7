import type { ReactNode } from "react";
import { useRef } from "react";
import type { Config } from "@/api/agents";
import { Field, Input, Select, Textarea } from "@/ui/field";
import { at, having, textAt } from "./config";
import { useFault } from "./faults";
import { HeadersField, SigningField } from "./headers-field";
import { ParametersField } from "./parameters-field";
import { placeholders } from "./tools";

interface Props {
  tool: Config;
  set: (tool: Config) => void;
  /** Where it stands, such as `config.tools[0]`. */
  path: string;
}

/** What there is to say of a tool, by its kind. What is not shown stays as it is. */
export function ToolFields(props: Props) {
  const fields = BY_KIND[textAt(props.tool, "type")];
  if (!fields) {
    return (
      <p className="text-soft text-sm leading-relaxed">
        A kind that this page does not know: it is kept as it is, and the JSON shows it.
      </p>
    );
  }
  return <div className="flex flex-col gap-5">{fields(props)}</div>;
}

const BY_KIND: Readonly<Record<string, (props: Props) => ReactNode>> = {
  http: (props) => (
    <>
      <Named {...props} placeholder="order_status" about="Where an order is." />
      <div className="grid gap-5 sm:grid-cols-[8rem_1fr]">
        <Method {...props} />
        <Url {...props} placeholder="https://shop.example/orders/{order}" hint={<InUrl />} />
      </div>
      <Unnamed {...props} />
      <Arguments {...props} />
      <HeadersField of={props.tool} path={props.path} set={setIn(props)} />
      <More>
        <SigningField of={props.tool} path={props.path} set={setIn(props)} />
        <Milliseconds {...props} />
        <Tries {...props} />
        <Filler {...props} />
      </More>
    </>
  ),
  mcp: (props) => (
    <>
      <Url
        {...props}
        placeholder="https://tools.example/mcp"
        hint="A server that speaks streamable HTTP."
      />
      <Names
        {...props}
        field="allowed"
        label="Only these tools"
        hint="Their names, with commas between. Empty: all that the server has."
        placeholder="search, book"
      />
      <HeadersField of={props.tool} path={props.path} set={setIn(props)} />
      <More>
        <Milliseconds {...props} />
        <Filler {...props} />
      </More>
    </>
  ),
  function: (props) => (
    <>
      <Named {...props} placeholder="show_map" about="Shows a place on the caller’s screen." />
      <Arguments {...props} />
    </>
  ),
  end_call: (props) => <Named {...props} placeholder="end_call" about="as the server says it" />,
  wait: (props) => <Named {...props} placeholder="wait" about="as the server says it" />,
  set_variable: (props) => (
    <>
      <Names
        {...props}
        field="variables"
        label="Variables"
        hint="What it may note, with commas between."
        placeholder="customer_name, order"
      />
      <Named {...props} placeholder="set_variable" about="as the server says it" />
    </>
  ),
};

function setIn({ tool, set }: Props): (field: string, value: unknown) => void {
  return (field, value) => set(having(tool, field, value));
}

interface NamedProps extends Props {
  placeholder: string;
  about: string;
}

function Named({ placeholder, about, ...props }: NamedProps) {
  const { tool, path } = props;
  const own = ["http", "function"].includes(textAt(tool, "type")); // the others have a name
  const set = setIn(props);
  return (
    <>
      <Field
        label="Name"
        hint={own ? "As the agent calls it: letters, digits, _ and -." : `Empty: ${placeholder}.`}
        error={useFault(`${path}.name`)}
      >
        {(field) => (
          <Input
            {...field}
            value={textAt(tool, "name")}
            onChange={({ target }) => set("name", own ? target.value : target.value || undefined)}
            placeholder={placeholder}
            maxLength={64}
            spellCheck={false}
            className="font-mono text-[0.8125rem]"
          />
        )}
      </Field>
      <Field
        label="Description"
        hint="When the agent should use it, and what it gives."
        error={useFault(`${path}.description`)}
      >
        {(field) => (
          <Textarea
            {...field}
            rows={2}
            value={textAt(tool, "description")}
            onChange={({ target }) => set("description", target.value || undefined)}
            placeholder={about}
          />
        )}
      </Field>
    </>
  );
}

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];

function Method(props: Props) {
  return (
    <Field label="Method">
      {(field) => (
        <Select
          {...field}
          value={textAt(props.tool, "method") || "POST"}
          onChange={({ target }) => setIn(props)("method", target.value)}
        >
          {METHODS.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </Select>
      )}
    </Field>
  );
}

function Url({ placeholder, hint, ...props }: Props & { placeholder: string; hint: ReactNode }) {
  return (
    <Field label="Address" hint={hint} error={useFault(`${props.path}.url`)}>
      {(field) => (
        <Input
          {...field}
          type="url"
          value={textAt(props.tool, "url")}
          onChange={({ target }) => setIn(props)("url", target.value.trim())}
          placeholder={placeholder}
          maxLength={2048}
          spellCheck={false}
          className="font-mono text-[0.8125rem]"
        />
      )}
    </Field>
  );
}

function InUrl() {
  return (
    <>
      <code>{"{order}"}</code> is an argument, <code>{"{{name}}"}</code> a variable. Other arguments
      go as JSON, with GET and DELETE as the query.
    </>
  );
}

/** Arguments that the address names and that nobody would fill in. */
function Unnamed({ tool }: Props) {
  const properties = at(tool, "parameters.properties");
  const known = Object.keys(typeof properties === "object" && properties ? properties : {});
  const missing = placeholders(textAt(tool, "url")).filter((name) => !known.includes(name));
  if (missing.length === 0) return null;
  return (
    <p role="status" className="text-warn text-xs">
      The address names {missing.map((name) => `{${name}}`).join(", ")}: add{" "}
      {missing.length > 1 ? "them" : "it"} to the arguments.
    </p>
  );
}

function Arguments(props: Props) {
  return (
    <ParametersField
      value={at(props.tool, "parameters")}
      set={(schema) => props.set({ ...props.tool, parameters: schema })}
      path={`${props.path}.parameters`}
    />
  );
}

function More({ children }: { children: ReactNode }) {
  return (
    <details>
      <summary className="w-fit cursor-pointer rounded text-royal-ink text-sm">More</summary>
      <div className="grid gap-5 pt-4 sm:grid-cols-2">{children}</div>
    </details>
  );
}

const TIMEOUT_MS = 10_000; // the server's

function Milliseconds(props: Props) {
  const given = at(props.tool, "timeout_ms");
  return (
    <Field
      label="Patience, in seconds"
      hint="Then the agent is told that nothing came."
      error={useFault(`${props.path}.timeout_ms`)}
    >
      {(field) => (
        <Input
          {...field}
          type="number"
          min={0.1}
          max={120}
          step={0.1}
          value={typeof given === "number" ? given / 1000 : ""}
          placeholder={String(TIMEOUT_MS / 1000)}
          onChange={({ target }) =>
            setIn(props)(
              "timeout_ms",
              target.value ? Math.round(Number(target.value) * 1000) : undefined,
            )
          }
        />
      )}
    </Field>
  );
}

function Tries(props: Props) {
  const given = at(props.tool, "retries");
  return (
    <Field
      label="Tries after the first"
      hint="When nothing came through, or the server was busy."
      error={useFault(`${props.path}.retries`)}
    >
      {(field) => (
        <Input
          {...field}
          type="number"
          min={0}
          max={5}
          value={typeof given === "number" ? given : ""}
          placeholder="1"
          onChange={({ target }) =>
            setIn(props)("retries", target.value ? Number(target.value) : undefined)
          }
        />
      )}
    </Field>
  );
}

function Filler(props: Props) {
  const beside = useRef<object>({}); // what stands beside its text, which may be written anew
  const say = (text: string) => {
    beside.current = at(props.tool, "filler") ?? beside.current;
    setIn(props)("filler", text ? { ...beside.current, text } : undefined);
  };
  return (
    <Field
      label="Said meanwhile"
      hint="Once, if it takes longer than a moment. Empty: silence."
      error={useFault(`${props.path}.filler`)}
    >
      {(field) => (
        <Input
          {...field}
          value={textAt(props.tool, "filler.text")}
          onChange={({ target }) => say(target.value)}
          placeholder="One moment, I am looking."
          maxLength={500}
        />
      )}
    </Field>
  );
}

interface NamesProps extends Props {
  field: string;
  label: string;
  hint: string;
  placeholder: string;
}

/** Several names in one line. */
function Names({ field: place, label, hint, placeholder, ...props }: NamesProps) {
  const given = at(props.tool, place);
  const text = Array.isArray(given) ? given.join(", ") : "";
  return (
    <Field label={label} hint={hint} error={useFault(`${props.path}.${place}`)}>
      {(field) => (
        <Input
          {...field}
          defaultValue={text}
          onChange={({ target }) => {
            const names = target.value
              .split(",")
              .map((name) => name.trim())
              .filter(Boolean);
            setIn(props)(place, names.length || place === "variables" ? names : undefined);
          }}
          placeholder={placeholder}
          spellCheck={false}
          className="font-mono text-[0.8125rem]"
        />
      )}
    </Field>
  );
}
