import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Pencil, Plus, SpellCheck, Trash2 } from "lucide-react";
import { type Dictionary, dictionaries, remove } from "@/api/dictionaries";
import { Confirm } from "@/parts/confirm";
import { CopyAs } from "@/parts/copy-as";
import { Failed } from "@/parts/failed";
import { counted } from "@/parts/figures";
import { Button } from "@/ui/button";
import { Card, CardBody, CardHeader, CardTitle } from "@/ui/card";
import { Skeleton } from "@/ui/skeleton";
import { toast } from "@/ui/toast";
import { EditDictionary } from "./edit-dictionary";
import { rulesOf } from "./rules";

const EXAMPLE = rulesOf([
  { written: "VoiceForge", way: "alias", said: "voice forge", anyCase: true, inside: false },
]);

/** How odd words are said. */
export function DictionariesCard() {
  const { data, error, isPending, refetch } = useQuery(dictionaries);
  return (
    <Card aria-label="Pronunciation">
      <CardHeader>
        <CardTitle className="flex items-center gap-2">
          <SpellCheck aria-hidden className="size-4 text-royal-ink" /> Pronunciation
        </CardTitle>
        <CopyAs
          call={{
            method: "POST",
            path: "/v1/pronunciation-dictionaries/add-from-rules",
            body: { name: "Names", rules: EXAMPLE },
          }}
        />
      </CardHeader>
      <CardBody className="flex flex-col gap-5">
        <p className="text-soft text-sm leading-relaxed">
          Dictionaries of names and odd words, and how they are said. Agents name them under
          Knowledge; on the Speech page one is chosen.
        </p>
        {isPending ? <Skeleton className="h-16" /> : null}
        {error ? (
          <Failed what="No dictionaries to show" error={error} again={() => void refetch()} />
        ) : null}
        <ul className="flex flex-col gap-1 empty:hidden">
          {data?.map((one) => (
            <Row key={one.id} dictionary={one} />
          ))}
        </ul>
        <EditDictionary dictionary={null}>
          <Button size="sm" variant="primary" className="self-end">
            <Plus aria-hidden /> New dictionary
          </Button>
        </EditDictionary>
      </CardBody>
    </Card>
  );
}

function Row({ dictionary }: { dictionary: Dictionary }) {
  const { id, name, latest_version_rules_num: rules } = dictionary;
  const queries = useQueryClient();
  return (
    <li className="flex items-center justify-between gap-3 rounded-lg px-2 py-1 hover:bg-sunken">
      <span className="min-w-0">
        <span className="block truncate font-medium text-sm">{name}</span>
        <span className="figures text-soft text-xs">{counted(rules, "rule")}</span>
      </span>
      <span className="flex">
        <EditDictionary dictionary={dictionary}>
          <Button variant="quiet" size="icon-sm" aria-label={`Change ${name}`}>
            <Pencil aria-hidden />
          </Button>
        </EditDictionary>
        <Confirm
          title={`Delete ${name}?`}
          about="With all its versions, for good. Agents that name it say its words as they are written."
          act="Delete"
          run={() => remove(id)}
          done={() => {
            void queries.invalidateQueries({ queryKey: dictionaries.queryKey });
            toast(`${name} is gone`, undefined, "good");
          }}
          failed="Not deleted"
        >
          <Button variant="quiet" size="icon-sm" aria-label={`Delete ${name}`}>
            <Trash2 aria-hidden />
          </Button>
        </Confirm>
      </span>
    </li>
  );
}
