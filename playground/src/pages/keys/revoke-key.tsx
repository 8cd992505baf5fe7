import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type Key, revoke } from "@/api/keys";
import { said } from "@/api/refusal";
import { Button } from "@/ui/button";
import { Dialog, DialogClose, DialogContent, DialogTrigger } from "@/ui/dialog";
import { toast } from "@/ui/toast";

export function RevokeKey({ of: key, mine }: { of: Key; mine: boolean }) {
  const queries = useQueryClient();
  const revoking = useMutation({
    mutationFn: () => revoke(key.id),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["keys"] });
      toast(`${key.name || key.id} is revoked`, "Its open calls end within seconds.", "good");
    },
    onError: (error) => toast("Not revoked", said(error), "bad"),
  });
  return (
    <Dialog>
      <DialogTrigger asChild>
        <Button size="sm" variant="quiet">
          Revoke
        </Button>
      </DialogTrigger>
      <DialogContent
        title={`Revoke ${key.name || key.id}?`}
        about={
          mine
            ? "You are signed in with this one: you will be signed out, and need another to come back."
            : "Whoever holds it is refused from now on, and calls that are open end. It cannot be undone."
        }
      >
        <div className="flex justify-end gap-2">
          <DialogClose asChild>
            <Button variant="quiet">Keep it</Button>
          </DialogClose>
          <DialogClose asChild>
            <Button variant="danger" onClick={() => revoking.mutate()}>
              Revoke
            </Button>
          </DialogClose>
        </div>
      </DialogContent>
    </Dialog>
  );
}
