import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus, X } from "lucide-react";
import { type FormEvent, type ReactElement, useState } from "react";
import { type Dictionary, dictionaries, keep, dictionary as one } from "@/api/dictionaries";
import { Failed } from "@/parts/failed";
import { counted } from "@/parts/figures";
import { Button } from "@/ui/button";
import { Dialog, DialogContent, DialogTrigger } from "@/ui/dialog";
import { Field, Input, Select } from "@/ui/field";
import { Notice } from "@/ui/notice";
import { Skeleton } from "@/ui/skeleton";
import { toast } from "@/ui/toast";
import { BLANK, type Line, lineOf, rulesOf, WAYS, type Way } from "./rules";

const MOST = 200; // that a form can hold and a person can oversee

interface Props {
  /** Null: a new one. */
  dictionary: Dictionary | null;
  children: ReactElement;
}

/** A dictionary's name and its rules. */
export function EditDictionary({ dictionary, children }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <Dialog open={open} onOpenChange={setOpen}>
      <DialogTrigger asChild>{children}</DialogTrigger>
      <DialogContent
        title={dictionary ? `Change ${dictionary.name}` : "A new dictionary"}
        about="What is written, and what is said for it: another text, or its sounds."
        className="max-w-2xl"
      >
        {dictionary ? (
          <Known dictionary={dictionary} done={() => setOpen(false)} />
        ) : (
          <Form id={null} name="" lines={[BLANK]} done={() => setOpen(false)} />
        )}
      </DialogContent>
    </Dialog>
  );
}

function Known({ dictionary, done }: { dictionary: Dictionary; done: () => void }) {
  const { id, name, latest_version_rules_num: count } = dictionary;
  const { data, error, refetch } = useQuery({ ...one(id), enabled: count <= MOST, gcTime: 0 });
  if (count > MOST) {
    return (
      <Notice>
        It has {counted(count, "rule")}, more than this form holds ({MOST}). Change it by{" "}
        <code className="break-all">POST /v1/pronunciation-dictionaries/{id}/add-rules</code>.
      </Notice>
    );
  }
  if (error) return <Failed what="Not shown" error={error} again={() => void refetch()} />;
  if (!data) return <Skeleton className="h-40" />;
  return <Form id={id} name={name} lines={data.rules.map(lineOf)} done={done} />;
}

interface FormProps {
  id: string | null;
  name: string;
  lines: readonly Line[];
  done: () => void;
}

function Form({ id, done, ...given }: FormProps) {
  const [name, setName] = useState(given.name);
  const [lines, setLines] = useState(given.lines);
  const queries = useQueryClient();
  const rules = rulesOf(lines);
  const keeping = useMutation({
    mutationFn: () => keep(id, name.trim(), rules),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: dictionaries.queryKey });
      toast(`${name.trim()} is kept`, counted(rules.length, "rule"), "good");
      done();
    },
  });
  const change = (at: number, part: Partial<Line>) =>
    setLines(lines.map((line, index) => (index === at ? { ...line, ...part } : line)));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    keeping.mutate();
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-5">
      {keeping.error ? <Failed what="Not kept" error={keeping.error} /> : null}
      <Field label="Name">
        {(field) => (
          <Input
            {...field}
            value={name}
            onChange={({ target }) => setName(target.value)}
            placeholder="Names of ships"
            maxLength={200}
            required
          />
        )}
      </Field>
      <fieldset className="flex flex-col gap-2">
        <legend className="mb-1.5 font-medium text-[0.8125rem]">Rules</legend>
        {lines.map((line, at) => (
          <Rule
            // biome-ignore lint/suspicious/noArrayIndexKey: the fields hold no state of their own
            key={at}
            number={at + 1}
            line={line}
            set={(part) => change(at, part)}
            remove={() => setLines(lines.filter((_, index) => index !== at))}
          />
        ))}
        <Button
          size="sm"
          variant="quiet"
          className="self-start"
          disabled={lines.length >= MOST}
          onClick={() => setLines([...lines, BLANK])}
        >
          <Plus aria-hidden /> Add a rule
        </Button>
      </fieldset>
      <Button
        type="submit"
        variant="primary"
        className="self-end"
        disabled={!name.trim() || rules.length === 0 || keeping.isPending}
      >
        Keep it
      </Button>
    </form>
  );
}

interface RuleProps {
  number: number;
  line: Line;
  set: (part: Partial<Line>) => void;
  remove: () => void;
}

function Rule({ number, line, set, remove }: RuleProps) {
  const { written, way, said, anyCase, inside } = line;
  return (
    <div className="grid grid-cols-[1fr_auto] gap-2 rounded-2xl border border-edge p-3 sm:grid-cols-[1fr_8rem_1fr_auto]">
      <Input
        aria-label={`Written, rule ${number}`}
        value={written}
        onChange={({ target }) => set({ written: target.value })}
        placeholder="Kiel"
        maxLength={250}
        className="max-sm:col-span-2"
      />
      <Select
        aria-label={`How, rule ${number}`}
        value={way}
        onChange={({ target }) => set({ way: target.value as Way })}
      >
        {WAYS.map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </Select>
      <Input
        aria-label={`Said, rule ${number}`}
        value={said}
        onChange={({ target }) => set({ said: target.value })}
        placeholder={way === "alias" ? "keel" : way === "ipa" ? "kiːl" : "K IY1 L"}
        maxLength={way === "alias" ? 1000 : 200}
        className="max-sm:order-last max-sm:col-span-2"
      />
      <Button
        variant="quiet"
        size="icon"
        aria-label={`Remove rule ${number}`}
        className="max-sm:justify-self-end"
        onClick={remove}
      >
        <X aria-hidden />
      </Button>
      <span className="flex flex-wrap gap-x-5 gap-y-1 text-soft text-sm sm:col-span-4 max-sm:order-last max-sm:col-span-2">
        <Check label="in any case" checked={anyCase} set={(anyCase) => set({ anyCase })} />
        <Check label="inside words, too" checked={inside} set={(inside) => set({ inside })} />
      </span>
    </div>
  );
}

interface CheckProps {
  label: string;
  checked: boolean;
  set: (checked: boolean) => void;
}

function Check({ label, checked, set }: CheckProps) {
  return (
    <label className="flex cursor-pointer items-center gap-2">
      <input
        type="checkbox"
        checked={checked}
        onChange={({ target }) => set(target.checked)}
        className="size-4 accent-royal"
      />
      {label}
    </label>
  );
}
