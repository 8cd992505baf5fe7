import { useQueryClient } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { useLocation } from "wouter";
import { type Agent, remove } from "@/api/agents";
import { Confirm } from "@/parts/confirm";
import { Button } from "@/ui/button";
import { toast } from "@/ui/toast";

export function DeleteAgent({ agent }: { agent: Agent }) {
  const [, go] = useLocation();
  const queries = useQueryClient();
  return (
    <Confirm
      title={`Delete ${agent.name}?`}
      about="With all its versions, for good. Whoever begins a session with its id is refused then; sessions that are open go on, and what was said is kept."
      act="Delete"
      run={() => remove(agent.id)}
      done={() => {
        void queries.invalidateQueries({ queryKey: ["agents"] });
        toast(`${agent.name} is gone`, undefined, "good");
        go("/");
      }}
      failed="Not deleted"
    >
      <Button size="sm" variant="danger">
        <Trash2 aria-hidden /> Delete
      </Button>
    </Confirm>
  );
}
