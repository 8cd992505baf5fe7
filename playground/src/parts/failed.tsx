import { RotateCw } from "lucide-react";
import { Refusal, said } from "@/api/refusal";
import { Button } from "@/ui/button";
import { Notice } from "@/ui/notice";

interface Props {
  what: string;
  error: unknown;
  again?: () => void;
}

/** What could not be had, why, and what may help. */
export function Failed({ what, error, again }: Props) {
  const status = error instanceof Refusal ? error.status : 0;
  return (
    <Notice
      kind="bad"
      title={what}
      action={
        again && status !== 403 && status !== 404 ? (
          <Button size="sm" onClick={again}>
            <RotateCw aria-hidden /> Try again
          </Button>
        ) : null
      }
    >
      {said(error)}
      {status === 403 ? " Sign in with a key that may." : null}
    </Notice>
  );
}
