import { cva, type VariantProps } from "class-variance-authority";
import type { ComponentProps } from "react";
import { cn } from "./cn";

const badgeVariants = cva(
  "inline-flex items-center gap-1.5 whitespace-nowrap rounded-full px-2.5 py-0.5 font-medium text-xs",
  {
    variants: {
      tone: {
        plain: "bg-sunken text-soft",
        royal: "bg-royal-tint text-royal-ink",
        caller: "bg-caller-tint text-caller",
        good: "bg-good-tint text-good",
        warn: "bg-warn-tint text-warn",
        bad: "bg-bad-tint text-bad",
      },
    },
    defaultVariants: { tone: "plain" },
  },
);

export type Tone = NonNullable<VariantProps<typeof badgeVariants>["tone"]>;

export function Badge({
  className,
  tone,
  ...rest
}: ComponentProps<"span"> & VariantProps<typeof badgeVariants>) {
  return <span className={cn(badgeVariants({ tone }), className)} {...rest} />;
}
