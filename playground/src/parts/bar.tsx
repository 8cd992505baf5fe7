/** How far something is, from 0 to 1. */
export function Bar({ value, label }: { value: number; label: string }) {
  return (
    <progress
      className="h-1.5 w-full max-w-60 appearance-none overflow-hidden rounded-full bg-sunken [&::-moz-progress-bar]:bg-royal-ink [&::-webkit-progress-bar]:bg-sunken [&::-webkit-progress-value]:bg-royal-ink"
      aria-label={label}
      value={value}
    />
  );
}
