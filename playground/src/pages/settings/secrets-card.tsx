import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { LockKeyhole, Trash2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { said } from "@/api/refusal";
import { drop, put, secrets } from "@/api/secrets";
import { CopyAs } from "@/parts/copy-as";
import { Failed } from "@/parts/failed";
import { moment } from "@/parts/figures";
import { Button } from "@/ui/button";
import { Card, CardBody, CardHeader, CardTitle } from "@/ui/card";
import { Field, Input } from "@/ui/field";
import { Skeleton } from "@/ui/skeleton";
import { toast } from "@/ui/toast";

const NAME = "[A-Za-z0-9_.\\-]{1,64}";

/** Keys of other services, which agents name and nobody reads again. */
export function SecretsCard() {
  const { data, error, isPending, refetch } = useQuery(secrets);
  const queries = useQueryClient();
  const again = () => void queries.invalidateQueries({ queryKey: ["secrets"] });
  const dropping = useMutation({
    mutationFn: drop,
    onSuccess: again,
    onError: (refused) => toast("Not deleted", said(refused), "bad"),
  });
  return (
    <Card aria-label="Secrets">
      <CardHeader>
        <CardTitle className="flex items-center gap-2">
          <LockKeyhole aria-hidden className="size-4 text-royal-ink" /> Secrets
        </CardTitle>
        <CopyAs
          call={{ method: "PUT", path: "/v1/secrets/SHOP_KEY", body: { value: "the secret" } }}
        />
      </CardHeader>
      <CardBody className="flex flex-col gap-5">
        <p className="text-soft text-sm leading-relaxed">
          Keys of other services. Agents name them, as <code>{"{{secret.NAME}}"}</code> in a tool’s
          headers; they are encrypted, and never shown again.
        </p>
        <AddSecret done={again} />
        {isPending ? <Skeleton className="h-16" /> : null}
        {error ? (
          <Failed what="No secrets to show" error={error} again={() => void refetch()} />
        ) : null}
        <ul className="flex flex-col gap-1 empty:hidden">
          {data?.data.map(({ name, updated_at }) => (
            <li
              key={name}
              className="flex items-center justify-between gap-3 rounded-lg px-2 py-1 hover:bg-sunken"
            >
              <span className="min-w-0">
                <span className="block truncate font-mono text-sm">{name}</span>
                <span className="text-soft text-xs">{moment(updated_at)}</span>
              </span>
              <Button
                variant="quiet"
                size="icon-sm"
                aria-label={`Delete ${name}`}
                disabled={dropping.isPending}
                onClick={() => dropping.mutate(name)}
              >
                <Trash2 aria-hidden />
              </Button>
            </li>
          ))}
        </ul>
      </CardBody>
    </Card>
  );
}

function AddSecret({ done }: { done: () => void }) {
  const [name, setName] = useState("");
  const [value, setValue] = useState("");
  const putting = useMutation({
    mutationFn: () => put(name, value),
    onSuccess: () => {
      setName("");
      setValue("");
      done();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    putting.mutate();
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-3 rounded-2xl bg-sunken p-4">
      {putting.error ? <Failed what="Not kept" error={putting.error} /> : null}
      <div className="grid gap-3 sm:grid-cols-2">
        <Field label="Name">
          {(field) => (
            <Input
              {...field}
              value={name}
              onChange={({ target }) => setName(target.value)}
              pattern={NAME}
              title="1 to 64 letters, digits, _ . or -"
              placeholder="SHOP_KEY"
              autoComplete="off"
              required
            />
          )}
        </Field>
        <Field label="Value">
          {(field) => (
            <Input
              {...field}
              type="password"
              value={value}
              onChange={({ target }) => setValue(target.value)}
              autoComplete="off"
              required
            />
          )}
        </Field>
      </div>
      <Button
        type="submit"
        size="sm"
        variant="primary"
        className="self-end"
        disabled={putting.isPending}
      >
        Keep it
      </Button>
    </form>
  );
}
