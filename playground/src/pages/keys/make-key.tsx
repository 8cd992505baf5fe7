import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { type FormEvent, useState } from "react";
import { type MadeKey, make, SCOPES } from "@/api/keys";
import { Copy } from "@/parts/copy";
import { Failed } from "@/parts/failed";
import { Button } from "@/ui/button";
import { Dialog, DialogClose, DialogContent, DialogTrigger } from "@/ui/dialog";
import { Field, Input } from "@/ui/field";
import { Notice } from "@/ui/notice";

const USUAL = ["realtime", "speech", "sessions"]; // what a program needs that talks with people

export function MakeKey() {
  const [open, setOpen] = useState(false);
  return (
    <Dialog open={open} onOpenChange={setOpen}>
      <DialogTrigger asChild>
        <Button variant="primary">
          <Plus aria-hidden /> New key
        </Button>
      </DialogTrigger>
      {open ? (
        <DialogContent title="A new key" about="What it may not do is refused, whoever holds it.">
          <Form />
        </DialogContent>
      ) : null}
    </Dialog>
  );
}

function Form() {
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState(USUAL);
  const [until, setUntil] = useState("");
  const queries = useQueryClient();
  const making = useMutation({
    mutationFn: () => make(name.trim(), scopes, until ? new Date(until).toISOString() : null),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ["keys"] }),
  });
  const flip = (scope: string) =>
    setScopes(scopes.includes(scope) ? scopes.filter((one) => one !== scope) : [...scopes, scope]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    making.mutate();
  };
  if (making.data) return <Made made={making.data} />;
  return (
    <form onSubmit={submit} className="flex flex-col gap-5">
      {making.error ? <Failed what="Not made" error={making.error} /> : null}
      <Field label="Name" hint="The program, or the person, that will hold it.">
        {(field) => (
          <Input
            {...field}
            value={name}
            onChange={({ target }) => setName(target.value)}
            required
            maxLength={200}
          />
        )}
      </Field>
      <fieldset className="flex flex-col gap-1">
        <legend className="mb-1.5 font-medium text-[0.8125rem]">It may</legend>
        {SCOPES.map(([scope, about]) => (
          <label
            key={scope}
            className="flex cursor-pointer items-start gap-3 rounded-lg px-2 py-1.5 text-sm hover:bg-sunken"
          >
            <input
              type="checkbox"
              checked={scopes.includes(scope)}
              onChange={() => flip(scope)}
              className="mt-0.5 size-4 accent-royal"
            />
            <span>
              <span className="font-medium">{scope}</span>{" "}
              <span className="text-soft">{about}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <Field label="Until" hint="Empty: until it is revoked.">
        {(field) => (
          <Input
            {...field}
            type="datetime-local"
            value={until}
            onChange={({ target }) => setUntil(target.value)}
          />
        )}
      </Field>
      <Button
        type="submit"
        variant="primary"
        className="self-end"
        disabled={!name.trim() || scopes.length === 0 || making.isPending}
      >
        Make it
      </Button>
    </form>
  );
}

function Made({ made }: { made: MadeKey }) {
  return (
    <div className="flex flex-col gap-4">
      <Notice kind="warn" title="Copy it now">
        It is shown this once: the server keeps only what recognises it.
      </Notice>
      <div className="flex items-center gap-2 rounded-2xl bg-sunken p-3">
        <code className="min-w-0 flex-1 break-all font-mono text-sm">{made.secret}</code>
        <Copy text={made.secret} />
      </div>
      <DialogClose asChild>
        <Button variant="primary" className="self-end">
          I have it
        </Button>
      </DialogClose>
    </div>
  );
}
