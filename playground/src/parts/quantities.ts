/** Amounts as people read them: in full, and short beside an axis. */

const grouped = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });

/** 12,400; 3.5. */
export function amount(value: number): string {
  return grouped.format(value);
}

/** 12.4K. */
export function brief(value: number): string {
  return short.format(value);
}

/** 1 h 12 min, 3 min 20 s, 4.2 s. */
export function time(seconds: number): string {
  if (seconds < 59.95) return `${grouped.format(seconds)} s`;
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [
    Math.floor(whole / 3600),
    Math.floor(whole / 60) % 60,
    whole % 60,
  ];
  if (hours >= 10) return `${grouped.format(Math.round(seconds / 3600))} h`;
  if (hours > 0) return minutes ? `${hours} h ${minutes} min` : `${hours} h`;
  return rest ? `${minutes} min ${rest} s` : `${minutes} min`;
}

/** 2.5 h, 12 min, 4.2 s. */
export function briefTime(seconds: number): string {
  if (seconds >= 3600) return `${grouped.format(seconds / 3600)} h`;
  return seconds >= 60 ? `${grouped.format(seconds / 60)} min` : `${grouped.format(seconds)} s`;
}

/** 42 %. */
export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** 512 MB, 7.8 GB. */
export function room(count: number): string {
  const mega = count / 1024 / 1024;
  return mega < 1024 ? `${Math.round(mega)} MB` : `${grouped.format(mega / 1024)} GB`;
}
