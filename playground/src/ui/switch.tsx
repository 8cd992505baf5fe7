import { Switch as Radix } from "radix-ui";
import type { ComponentProps } from "react";
import { cn } from "./cn";

export function Switch({ className, ...rest }: ComponentProps<typeof Radix.Root>) {
  return (
    <Radix.Root
      className={cn(
        "inline-flex h-6 w-10 shrink-0 items-center rounded-full border border-edge-strong bg-sunken p-0.5 transition-colors duration-200 data-[state=checked]:border-transparent data-[state=checked]:bg-royal disabled:opacity-50",
        className,
      )}
      {...rest}
    >
      <Radix.Thumb className="size-4.5 rounded-full bg-soft transition-[transform,background] duration-200 ease-spring data-[state=checked]:translate-x-4 data-[state=checked]:bg-on-royal" />
    </Radix.Root>
  );
}
