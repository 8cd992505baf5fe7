import { useQuery } from "@tanstack/react-query";
import { Bell, PhoneIncoming, ScrollText } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import type { Config } from "@/api/agents";
import { webhooks } from "@/api/webhooks";
import { JsonField } from "@/parts/json-field";
import { Badge } from "@/ui/badge";
import { Field, Input } from "@/ui/field";
import { at, configIn, having, textAt } from "./config";
import { useFault } from "./faults";
import { HeadersField, SigningField } from "./headers-field";
import { Toggle } from "./toggle";

interface Props {
  config: Config;
  setConfig: (config: Config) => void;
}

/** Who is asked as a session begins, what is made of it afterwards, and who is told. */
export function WebhooksForm(props: Props) {
  return (
    <div className="flex flex-col gap-8">
      <Incoming {...props} />
      <Afterwards {...props} />
      <Told />
    </div>
  );
}

const PATIENCE_MS = 3000; // the server's

function Incoming({ config, setConfig }: Props) {
  const given = at(config, "incoming");
  const incoming = isObject(given) ? given : null;
  const set = (field: string, value: unknown) =>
    setConfig({ ...config, incoming: having(incoming ?? {}, field, value) });
  const wait = incoming?.timeout_ms;
  const fault = useFault("config.incoming.url");
  const late = useFault("config.incoming.timeout_ms");
  return (
    <Part
      icon={<PhoneIncoming aria-hidden className="size-4 text-royal-ink" />}
      title="As a session begins"
    >
      <Toggle
        title="Ask a server of yours"
        about="It is told who calls, and may name another agent or give values of variables."
        checked={incoming !== null}
        set={(wanted) =>
          setConfig(
            wanted ? { ...config, incoming: { url: "" } } : having(config, "incoming", undefined),
          )
        }
      />
      {incoming ? (
        <>
          <Field label="Address" error={fault}>
            {(field) => (
              <Input
                {...field}
                type="url"
                value={textAt(incoming, "url")}
                onChange={({ target }) => set("url", target.value.trim())}
                placeholder="https://shop.example/who-calls"
                maxLength={2048}
                className="font-mono text-[0.8125rem]"
              />
            )}
          </Field>
          <HeadersField of={incoming} path="config.incoming" set={set} />
          <div className="grid gap-5 sm:grid-cols-2">
            <SigningField of={incoming} path="config.incoming" set={set} />
            <Field
              label="Patience, in seconds"
              hint="The caller waits for the answer, ten seconds at most."
              error={late}
            >
              {(field) => (
                <Input
                  {...field}
                  type="number"
                  min={0.1}
                  max={10}
                  step={0.1}
                  value={typeof wait === "number" ? wait / 1000 : ""}
                  placeholder={String(PATIENCE_MS / 1000)}
                  onChange={({ target }) =>
                    set(
                      "timeout_ms",
                      target.value ? Math.round(Number(target.value) * 1000) : undefined,
                    )
                  }
                />
              )}
            </Field>
          </div>
          <Toggle
            title="No session without its answer"
            about="Otherwise the agent answers as it is, where the server fails."
            checked={incoming.required === true}
            set={(required) => set("required", required || undefined)}
          />
        </>
      ) : null}
    </Part>
  );
}

const EXAMPLE = {
  type: "object",
  properties: { reason: { type: "string", description: "Why they called." } },
};

function Afterwards({ config, setConfig }: Props) {
  const afterwards = at(config, "afterwards");
  const wanted = isObject(afterwards);
  const error = useFault("config.afterwards.extract");
  const extract = wanted ? (afterwards.extract ?? undefined) : undefined;
  return (
    <Part
      icon={<ScrollText aria-hidden className="size-4 text-royal-ink" />}
      title="After it has ended"
    >
      <Toggle
        title="Summarise it"
        about="The summary stands with the session, and goes to webhooks as session.summary."
        checked={wanted}
        set={(wanted) =>
          setConfig(having(config, "afterwards", wanted ? { extract: null } : undefined))
        }
      />
      {wanted ? (
        <JsonField
          label="What you want to know"
          hint="A JSON Schema of an object, whose fields are looked for in what was said. Empty: only the summary."
          error={error}
          value={extract}
          rows={extract === undefined ? 4 : 10}
          read={(text) => (text.trim() ? configIn(text) : null)}
          set={(extract) => setConfig({ ...config, afterwards: { ...afterwards, extract } })}
        />
      ) : null}
      {wanted && extract === undefined ? (
        <p className="text-soft text-xs">
          Such as <code className="break-all">{JSON.stringify(EXAMPLE)}</code>
        </p>
      ) : null}
    </Part>
  );
}

/** The account's webhooks: they are told of all its agents. */
function Told() {
  const { data } = useQuery(webhooks);
  return (
    <Part icon={<Bell aria-hidden className="size-4 text-royal-ink" />} title="Who is told">
      <p className="max-w-prose text-soft text-sm leading-relaxed">
        The account’s webhooks are told when a session of any agent begins, ends, and is summarised.
        They are kept in{" "}
        <Link href="~/app/settings" className="text-royal-ink underline underline-offset-2">
          Settings
        </Link>
        {data?.data.length === 0 ? "; there are none yet." : "."}
      </p>
      <ul className="flex flex-col gap-2 empty:hidden">
        {data?.data.map(({ id, url, events, enabled }) => (
          <li
            key={id}
            className="flex flex-wrap items-center gap-2 rounded-2xl bg-sunken px-4 py-3"
          >
            <span className="min-w-0 flex-1 break-all font-mono text-[0.8125rem]">{url}</span>
            {enabled ? null : <Badge tone="warn">switched off</Badge>}
            {events.map((event) => (
              <Badge key={event}>{event}</Badge>
            ))}
          </li>
        ))}
      </ul>
    </Part>
  );
}

function Part({ icon, title, children }: { icon: ReactNode; title: string; children: ReactNode }) {
  return (
    <section aria-label={title} className="flex flex-col gap-4">
      <h3 className="flex items-center gap-2 font-medium text-sm">
        {icon} {title}
      </h3>
      {children}
    </section>
  );
}

function isObject(value: unknown): value is Config {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
