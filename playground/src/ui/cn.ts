import { type ClassValue, clsx } from "clsx";
import { twMerge } from "tailwind-merge";

/** Class names in one string; of two that contradict each other the later holds. */
export function cn(...classes: ClassValue[]): string {
  return twMerge(clsx(classes));
}
