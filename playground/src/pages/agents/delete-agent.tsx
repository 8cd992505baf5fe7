import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { useLocation } from "wouter";
import { type Agent, remove } from "@/api/agents";
import { said } from "@/api/refusal";
import { Button } from "@/ui/button";
import { Dialog, DialogClose, DialogContent, DialogTrigger } from "@/ui/dialog";
import { toast } from "@/ui/toast";

export function DeleteAgent({ agent }: { agent: Agent }) {
  const [, go] = useLocation();
  const queries = useQueryClient();
  const deletion = useMutation({
    mutationFn: () => remove(agent.id),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["agents"] });
      toast(`${agent.name} is gone`, undefined, "good");
      go("/");
    },
    onError: (error) => toast("Not deleted", said(error), "bad"),
  });
  return (
    <Dialog>
      <DialogTrigger asChild>
        <Button size="sm" variant="danger">
          <Trash2 aria-hidden /> Delete
        </Button>
      </DialogTrigger>
      <DialogContent
        title={`Delete ${agent.name}?`}
        about="With all its versions, for good. Whoever begins a session with its id is refused then; sessions that are open go on, and what was said is kept."
      >
        <div className="flex justify-end gap-2">
          <DialogClose asChild>
            <Button variant="quiet">Keep it</Button>
          </DialogClose>
          <Button variant="danger" disabled={deletion.isPending} onClick={() => deletion.mutate()}>
            <Trash2 aria-hidden /> Delete
          </Button>
        </div>
      </DialogContent>
    </Dialog>
  );
}
