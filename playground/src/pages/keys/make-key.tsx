import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { type FormEvent, useState } from "react";
import type { Schema } from "@/api/client";
import { make, SCOPES, type Wanted } from "@/api/keys";
import { CopyAs } from "@/parts/copy-as";
import { Failed } from "@/parts/failed";
import { Button } from "@/ui/button";
import { Dialog, DialogContent, DialogTrigger } from "@/ui/dialog";
import { Field, Input } from "@/ui/field";
import { LIMITS } from "./limits";
import { Made } from "./made";

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
  const [limits, setLimits] = useState<Schema["Limits"]>({});
  const queries = useQueryClient();
  const wanted: Wanted = {
    name: name.trim(),
    scopes,
    expires_at: momentOf(until),
    limits,
  };
  const making = useMutation({
    mutationFn: () => make(wanted),
    gcTime: 0, // its secret is kept nowhere
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
      <details>
        <summary className="w-fit cursor-pointer rounded text-royal-ink text-sm">Limits</summary>
        <p className="pt-2 text-soft text-xs leading-relaxed">
          Of this key alone, beside those of its account. Empty: none. Months begin at midnight UTC.
        </p>
        <div className="grid gap-4 pt-3 sm:grid-cols-2">
          {LIMITS.map(({ field: limit, label, each, least }) => (
            <Field key={limit} label={`Most ${label}`}>
              {(field) => (
                <Input
                  {...field}
                  type="number"
                  min={least}
                  value={limits[limit] == null ? "" : limits[limit] / each}
                  onChange={({ target }) =>
                    setLimits({
                      ...limits,
                      [limit]: target.value ? Math.round(Number(target.value) * each) : null,
                    })
                  }
                />
              )}
            </Field>
          ))}
        </div>
      </details>
      <div className="flex items-center justify-between gap-2">
        <CopyAs call={{ method: "POST", path: "/v1/admin/keys", body: wanted }} />
        <Button
          type="submit"
          variant="primary"
          disabled={!name.trim() || scopes.length === 0 || making.isPending}
        >
          Make it
        </Button>
      </div>
    </form>
  );
}

/** Of a date and time here; none of what is none, such as a year of six digits. */
function momentOf(text: string): string | null {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
