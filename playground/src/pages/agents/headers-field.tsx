import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import type { Config } from "@/api/agents";
import { secrets } from "@/api/secrets";
import { Field, Select } from "@/ui/field";
import { Notice } from "@/ui/notice";
import { at } from "./config";
import { useFault } from "./faults";
import { Pairs } from "./pairs";
import { secretsIn } from "./tools";

interface Props {
  /** Whose headers they are, and where it stands. */
  of: Config;
  path: string;
  set: (field: string, value: unknown) => void;
}

/** The headers that are sent, in which secrets of the account may stand. */
export function HeadersField({ of, path, set }: Props) {
  const { data } = useQuery(secrets);
  const error = useFault(`${path}.headers`);
  const known = data?.data.map(({ name }) => name);
  const given = at(of, "headers");
  const missing = known ? secretsIn(given).filter((name) => !known.includes(name)) : [];
  return (
    <>
      <Pairs
        legend="Headers"
        called={["Header", "Value of header"]}
        placeholders={["authorization", "Bearer {{secret.SHOP_KEY}}"]}
        suggested={
          known?.flatMap((name) => [`{{secret.${name}}}`, `Bearer {{secret.${name}}}`]) ?? []
        }
        add="Add a header"
        pairs={pairsIn(given)}
        set={(pairs) => set("headers", Object.keys(pairs).length ? pairs : undefined)}
        error={error}
        hint={
          <>
            <code>{"{{secret.NAME}}"}</code> stands for a secret of the account: the agent never
            sees it.
          </>
        }
      />
      {missing.length ? <NoSecret names={missing} /> : null}
    </>
  );
}

/** Requests may be signed, so that their receiver knows from whom they are. */
export function SigningField({ of, path, set }: Props) {
  const { data } = useQuery(secrets);
  const chosen = String(at(of, "sign_with") ?? "");
  const names = data?.data.map(({ name }) => name) ?? [];
  return (
    <Field
      label="Signed with"
      hint="A secret of the account, as Standard Webhooks have it."
      error={useFault(`${path}.sign_with`)}
    >
      {(field) => (
        <Select
          {...field}
          value={chosen}
          onChange={({ target }) => set("sign_with", target.value || undefined)}
        >
          <option value="">Not signed</option>
          {chosen && !names.includes(chosen) ? <option>{chosen}</option> : null}
          {names.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </Select>
      )}
    </Field>
  );
}

function NoSecret({ names }: { names: readonly string[] }) {
  return (
    <Notice kind="warn">
      There is no secret {names.join(", ")} yet: keep it in{" "}
      <Link href="~/app/settings" className="underline underline-offset-2">
        Settings
      </Link>{" "}
      before you save.
    </Notice>
  );
}

function pairsIn(value: unknown): { [name: string]: string } {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, String(one)]));
}
