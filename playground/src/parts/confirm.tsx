import { useMutation } from "@tanstack/react-query";
import { type ReactElement, useState } from "react";
import { said } from "@/api/refusal";
import { Button } from "@/ui/button";
import { Dialog, DialogClose, DialogContent, DialogTrigger } from "@/ui/dialog";
import { toast } from "@/ui/toast";

interface Props {
  /** What is pressed to be asked. */
  children: ReactElement;
  title: string;
  about: string;
  /** What is done, in a word. */
  act: string;
  run: () => Promise<unknown>;
  done: () => void;
  /** What is said if it was not done; why is said beside. */
  failed: string;
}

/** Asks before what cannot be undone. */
export function Confirm({ children, title, about, act, run, done, failed }: Props) {
  const [open, setOpen] = useState(false);
  const running = useMutation({
    mutationFn: run,
    onSuccess: () => {
      setOpen(false);
      done();
    },
    onError: (error) => toast(failed, said(error), "bad"),
  });
  return (
    <Dialog open={open} onOpenChange={setOpen}>
      <DialogTrigger asChild>{children}</DialogTrigger>
      <DialogContent title={title} about={about}>
        <div className="flex justify-end gap-2">
          <DialogClose asChild>
            <Button variant="quiet">Keep it</Button>
          </DialogClose>
          <Button variant="danger" disabled={running.isPending} onClick={() => running.mutate()}>
            {act}
          </Button>
        </div>
      </DialogContent>
    </Dialog>
  );
}
