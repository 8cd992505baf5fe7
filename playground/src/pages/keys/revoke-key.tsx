import { useQueryClient } from "@tanstack/react-query";
import { type Key, revoke } from "@/api/keys";
import { Confirm } from "@/parts/confirm";
import { Button } from "@/ui/button";
import { toast } from "@/ui/toast";

export function RevokeKey({ of: key, mine }: { of: Key; mine: boolean }) {
  const queries = useQueryClient();
  return (
    <Confirm
      title={`Revoke ${key.name || key.id}?`}
      about={
        mine
          ? "You are signed in with this one: you will be signed out, and need another to come back."
          : "Whoever holds it is refused from now on, and calls that are open end. It cannot be undone."
      }
      act="Revoke"
      run={() => revoke(key.id)}
      done={() => {
        void queries.invalidateQueries({ queryKey: ["keys"] });
        toast(`${key.name || key.id} is revoked`, "Its open calls end within seconds.", "good");
      }}
      failed="Not revoked"
    >
      <Button size="sm" variant="quiet">
        Revoke
      </Button>
    </Confirm>
  );
}
