import { ChevronDown } from "lucide-react";
import { type ComponentProps, forwardRef, type ReactNode, useId } from "react";
import { cn } from "./cn";

const box =
  "w-full rounded-field border border-edge bg-sunken px-3 text-sm text-ink transition-[border-color,box-shadow,background] placeholder:text-soft/80 hover:border-edge-strong focus-visible:border-royal-ink focus-visible:outline-none focus-visible:ring-3 focus-visible:ring-royal-tint disabled:opacity-60 aria-invalid:border-bad aria-invalid:ring-3 aria-invalid:ring-bad-tint";

export const Input = forwardRef<HTMLInputElement, ComponentProps<"input">>(function Input(
  { className, ...rest },
  ref,
) {
  return <input ref={ref} className={cn(box, "h-10", className)} {...rest} />;
});

export const Textarea = forwardRef<HTMLTextAreaElement, ComponentProps<"textarea">>(
  function Textarea({ className, ...rest }, ref) {
    return (
      <textarea
        ref={ref}
        className={cn(box, "min-h-20 py-2.5 leading-relaxed", className)}
        {...rest}
      />
    );
  },
);

/**
 * The browser's own select: its list is at home on a phone and to a screen reader, and injects no
 * style that the content security policy would refuse.
 */
export function Select({ className, children, ...rest }: ComponentProps<"select">) {
  return (
    <span className="relative block">
      <select
        className={cn(
          box,
          "h-10 appearance-none truncate pr-9 [&>*]:bg-solid [&>*]:text-ink",
          className,
        )}
        {...rest}
      >
        {children}
      </select>
      <ChevronDown
        aria-hidden
        className="pointer-events-none absolute top-1/2 right-3 size-4 -translate-y-1/2 text-soft"
      />
    </span>
  );
}

interface FieldProps {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
  className?: string;
  children: (props: {
    id: string;
    "aria-describedby"?: string;
    "aria-invalid"?: boolean;
  }) => ReactNode;
}

/** A labelled control, with what helps to fill it in or what is wrong with it. */
export function Field({ label, hint, error, className, children }: FieldProps) {
  const id = useId();
  const told = error ?? hint;
  return (
    <div className={cn("flex flex-col gap-1.5", className)}>
      <label htmlFor={id} className="font-medium text-[0.8125rem] text-ink">
        {label}
      </label>
      {children({
        id,
        ...(told ? { "aria-describedby": `${id}-told` } : {}),
        ...(error ? { "aria-invalid": true } : {}),
      })}
      {told ? (
        <p
          id={`${id}-told`}
          className={cn("text-xs leading-relaxed", error ? "text-bad" : "text-soft")}
          role={error ? "alert" : undefined}
        >
          {told}
        </p>
      ) : null}
    </div>
  );
}
