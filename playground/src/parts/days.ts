/** Days of UTC, as the API counts them, in the reader's own language. */

const DAY_MS = 86_400_000;

const short = new Intl.DateTimeFormat(undefined, {
  day: "numeric",
  month: "short",
  timeZone: "UTC",
});
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });

/** 29 Nov, of 2026-11-29. */
export function shortDay(day: string | number): string {
  return short.format(new Date(day));
}

/** 29 Nov 2026. */
export function fullDay(day: string | number): string {
  return full.format(new Date(day));
}

/** The day so many before, in UTC. */
export function dayBefore(today: Date, days: number): string {
  return new Date(today.getTime() - days * DAY_MS).toISOString().slice(0, 10);
}

/** The last `count` days until `today`, in UTC. */
export function lastDays(today: Date, count: number): string[] {
  return Array.from({ length: count }, (_, index) => dayBefore(today, count - 1 - index));
}
