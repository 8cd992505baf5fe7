import type { ComponentProps } from "react";
import { cn } from "./cn";

/** A pane of glass. */
export function Card({ className, ...rest }: ComponentProps<"section">) {
  return <section className={cn("glass rounded-card", className)} {...rest} />;
}

export function CardHeader({ className, ...rest }: ComponentProps<"header">) {
  return (
    <header
      className={cn("flex min-h-14 items-center justify-between gap-3 px-5 pt-3", className)}
      {...rest}
    />
  );
}

export function CardTitle({ className, children, ...rest }: ComponentProps<"h2">) {
  return (
    <h2 className={cn("font-semibold text-[0.9375rem]", className)} {...rest}>
      {children}
    </h2>
  );
}

export function CardBody({ className, ...rest }: ComponentProps<"div">) {
  return <div className={cn("px-5 pt-2 pb-5", className)} {...rest} />;
}
