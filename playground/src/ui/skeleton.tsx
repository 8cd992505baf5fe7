import type { ComponentProps } from "react";
import { cn } from "./cn";

/** Where something will stand that is still on its way. */
export function Skeleton({ className, ...rest }: ComponentProps<"div">) {
  return (
    <div
      aria-hidden
      className={cn(
        "animate-shimmer rounded-lg bg-[linear-gradient(100deg,var(--sunken)_35%,var(--royal-tint)_50%,var(--sunken)_65%)] bg-size-[200%_100%]",
        className,
      )}
      {...rest}
    />
  );
}
