import type { ReactNode } from "react";
import { useLocation } from "wouter";
import { change } from "@/pages/playground/current-call";
import { Button } from "@/ui/button";

interface Props {
  id: string;
  className?: string;
  primary?: boolean;
  children: ReactNode;
}

/** To the playground, where this agent is chosen then. */
export function TryIt({ id, className, primary = false, children }: Props) {
  const [, go] = useLocation();
  return (
    <Button
      size={primary ? "md" : "sm"}
      variant={primary ? "primary" : "glass"}
      className={className}
      onClick={() => {
        change({ agent: id });
        go("~/app/");
      }}
    >
      {children}
    </Button>
  );
}
