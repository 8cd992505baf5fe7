import { cn } from "@/ui/cn";

/** The sign of the house: a voice, forged. */
export function Mark({ className }: { className?: string }) {
  return (
    <span
      aria-hidden
      className={cn(
        "flex size-9 shrink-0 items-center justify-center rounded-xl bg-linear-to-br from-[oklch(0.66_0.21_296)] to-royal-deep shadow-royal",
        className,
      )}
    >
      <svg viewBox="0 0 24 24" className="size-5" role="presentation">
        <path
          d="M4 10v4M8 7.5v9M12 4v16M16 8v8M20 10.5v3"
          stroke="white"
          strokeWidth="2.2"
          strokeLinecap="round"
        />
      </svg>
    </span>
  );
}
