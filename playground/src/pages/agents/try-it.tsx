import type { ReactNode } from "react";
import { useLocation } from "wouter";
import { call, change } from "@/pages/playground/current-call";
import { Button } from "@/ui/button";

interface Props {
  /** The agent's, with `@3` behind it for one of its versions. */
  id: string;
  className?: string;
  variant?: "primary" | "glass" | "quiet";
  children: ReactNode;
}

/** To the playground, where this agent is chosen then. */
export function TryIt({ id, className, variant = "glass", children }: Props) {
  const [, go] = useLocation();
  return (
    <Button
      size={variant === "primary" ? "md" : "sm"}
      variant={variant}
      className={className}
      onClick={() => {
        call.end(); // it is with somebody else
        change({ agent: id });
        go("~/app/");
      }}
    >
      {children}
    </Button>
  );
}
