import { cva, type VariantProps } from "class-variance-authority";
import { Slot } from "radix-ui";
import { type ComponentProps, forwardRef } from "react";
import { cn } from "./cn";

const buttonVariants = cva(
  "inline-flex shrink-0 select-none items-center justify-center gap-2 whitespace-nowrap rounded-field font-medium text-sm transition-[background,color,box-shadow,transform,opacity] duration-150 active:scale-[0.98] disabled:pointer-events-none disabled:opacity-50 [&_svg]:size-4 [&_svg]:shrink-0",
  {
    variants: {
      variant: {
        primary:
          "bg-linear-to-b from-royal to-royal-deep text-on-royal shadow-royal hover:brightness-110",
        glass: "glass text-ink hover:bg-solid hover:border-edge-strong",
        quiet: "text-soft hover:bg-royal-tint hover:text-ink",
        danger: "bg-bad-tint text-bad hover:brightness-95 dark:hover:brightness-125",
      },
      size: {
        md: "h-10 px-4",
        sm: "h-8 rounded-lg px-3 text-[0.8125rem]",
        lg: "h-12 px-6 text-[0.9375rem]",
        icon: "size-10",
        "icon-sm": "size-8 rounded-lg",
      },
    },
    defaultVariants: { variant: "glass", size: "md" },
  },
);

type Props = ComponentProps<"button"> & VariantProps<typeof buttonVariants> & { asChild?: boolean };

export const Button = forwardRef<HTMLButtonElement, Props>(function Button(
  { className, variant, size, asChild = false, type = "button", ...rest },
  ref,
) {
  const Element = asChild ? Slot.Root : "button";
  return (
    <Element
      ref={ref}
      {...(asChild ? {} : { type })}
      className={cn(buttonVariants({ variant, size }), className)}
      {...rest}
    />
  );
});
