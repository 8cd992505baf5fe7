import { useQuery } from "@tanstack/react-query";
import { BookMarked, SpellCheck } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import type { Config } from "@/api/agents";
import { dictionaries } from "@/api/dictionaries";
import { collections } from "@/api/knowledge";
import { Failed } from "@/parts/failed";
import { Skeleton } from "@/ui/skeleton";
import { at, having } from "./config";
import { useFault } from "./faults";

interface Props {
  config: Config;
  setConfig: (config: Config) => void;
}

/** What it looks up before it answers, and how it says odd words. */
export function KnowledgeForm(props: Props) {
  const shelves = useQuery(collections);
  const words = useQuery(dictionaries);
  return (
    <div className="flex flex-col gap-8">
      <Choice
        {...props}
        field="knowledge"
        icon={<BookMarked aria-hidden className="size-4 text-royal-ink" />}
        title="Knowledge"
        about="Before it answers, what was asked is looked up in these collections, and the best passages are told to the agent."
        most={16}
        query={shelves}
        known={shelves.data?.data.map(({ id, name, language }) => [id, name, language])}
        none={<Make href="~/app/knowledge">Make a collection</Make>}
      />
      <Choice
        {...props}
        field="pronunciation"
        icon={<SpellCheck aria-hidden className="size-4 text-royal-ink" />}
        title="Pronunciation"
        about="These dictionaries say how its words sound, the first before the others."
        most={3}
        query={words}
        known={words.data?.map(({ id, name }) => [id, name, ""])}
        none={<Make href="~/app/settings">Make a dictionary</Make>}
      />
    </div>
  );
}

function Make({ href, children }: { href: string; children: string }) {
  return (
    <Link href={href} className="text-royal-ink text-sm underline-offset-2 hover:underline">
      {children}
    </Link>
  );
}

interface ChoiceProps extends Props {
  field: string;
  icon: ReactNode;
  title: string;
  about: string;
  most: number;
  query: { error: unknown; isPending: boolean; refetch: () => unknown };
  /** Id, name, and what else is told of each. */
  known: readonly (readonly [string, string, string])[] | undefined;
  none: ReactNode;
}

function Choice({ config, setConfig, field, query, known, most, ...told }: ChoiceProps) {
  const error = useFault(`config.${field}`);
  const given = at(config, field);
  const chosen = Array.isArray(given) ? given.map(String) : [];
  const gone = known ? chosen.filter((id) => !known.some(([other]) => other === id)) : [];
  const flip = (id: string) => {
    const next = chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id];
    setConfig(having(config, field, next.length ? next : undefined));
  };
  return (
    <fieldset className="flex flex-col gap-2">
      <legend className="mb-1 flex items-center gap-2 font-medium text-sm">
        {told.icon} {told.title}
      </legend>
      <p className="mb-1 max-w-prose text-soft text-sm leading-relaxed">{told.about}</p>
      {query.isPending ? <Skeleton className="h-12" /> : null}
      {query.error ? (
        <Failed
          what="They cannot be listed"
          error={query.error}
          again={() => void query.refetch()}
        />
      ) : null}
      {known?.map(([id, name, more]) => (
        <Option
          key={id}
          name={name}
          more={more}
          checked={chosen.includes(id)}
          disabled={!chosen.includes(id) && chosen.length >= most}
          flip={() => flip(id)}
        />
      ))}
      {gone.map((id) => (
        <Option key={id} name={id} more="is not there any more" checked flip={() => flip(id)} />
      ))}
      {error ? (
        <p role="alert" className="text-bad text-xs">
          {error}
        </p>
      ) : null}
      <span>{told.none}</span>
    </fieldset>
  );
}

interface OptionProps {
  name: string;
  more: string;
  checked: boolean;
  disabled?: boolean;
  flip: () => void;
}

function Option({ name, more, checked, disabled = false, flip }: OptionProps) {
  return (
    <label className="flex cursor-pointer items-center gap-3 rounded-2xl bg-sunken px-4 py-3 text-sm has-disabled:opacity-60">
      <input
        type="checkbox"
        checked={checked}
        disabled={disabled}
        onChange={flip}
        className="size-4 accent-royal"
      />
      <span className="min-w-0 flex-1 truncate font-medium">{name}</span>
      <span className="text-soft text-xs">{more}</span>
    </label>
  );
}
