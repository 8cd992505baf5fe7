import { useMutation, useQueryClient } from "@tanstack/react-query";
import { RotateCw } from "lucide-react";
import { useState } from "react";
import { type Key, rotate } from "@/api/keys";
import { CopyAs } from "@/parts/copy-as";
import { Failed } from "@/parts/failed";
import { Button } from "@/ui/button";
import { Dialog, DialogContent } from "@/ui/dialog";
import { Field, Select } from "@/ui/field";
import { Made } from "./made";

/** How long the old one may still be good, in seconds. */
const GRACES: readonly (readonly [number, string])[] = [
  [0, "ends now, and its open calls with it"],
  [3600, "is good for an hour more"],
  [86_400, "is good for a day more"],
  [7 * 86_400, "is good for a week more"],
  [30 * 86_400, "is good for thirty days more"],
];

const USUAL_S = 86_400;

interface Props {
  of: Key;
  mine: boolean;
  close: () => void;
}

/**
 * Another key in place of one: it may do the same, and has a secret of its own. It stands beside the
 * list: a row may go while the new secret is looked at.
 */
export function RotateKey({ of: key, mine, close }: Props) {
  return (
    <Dialog open onOpenChange={(open) => open || close()}>
      <DialogContent
        title={`Replace ${key.name || key.id}?`}
        about="A new key takes its place: the same name, rights and limits, another secret. Give it to whoever holds the old one before that ends."
      >
        <Form of={key} mine={mine} />
      </DialogContent>
    </Dialog>
  );
}

function Form({ of: key, mine }: Omit<Props, "close">) {
  const [graceS, setGraceS] = useState(USUAL_S);
  const queries = useQueryClient();
  const rotating = useMutation({
    mutationFn: () => rotate(key.id, graceS),
    gcTime: 0, // its secret is kept nowhere
    onSuccess: () => void queries.invalidateQueries({ queryKey: ["keys"] }),
  });
  if (rotating.data) return <Made made={rotating.data} />;
  return (
    <>
      {rotating.error ? <Failed what="Not replaced" error={rotating.error} /> : null}
      <Field
        label="The old one"
        hint={
          mine
            ? "You are signed in with it: when it ends you are signed out, and come back with the new one."
            : undefined
        }
      >
        {(field) => (
          <Select
            {...field}
            value={graceS}
            onChange={({ target }) => setGraceS(Number(target.value))}
          >
            {GRACES.map(([seconds, words]) => (
              <option key={seconds} value={seconds}>
                {words}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <div className="flex items-center justify-between gap-2">
        <CopyAs
          call={{ method: "POST", path: `/v1/admin/keys/${key.id}/rotate?grace_s=${graceS}` }}
        />
        <Button variant="primary" disabled={rotating.isPending} onClick={() => rotating.mutate()}>
          <RotateCw aria-hidden /> Replace it
        </Button>
      </div>
    </>
  );
}
