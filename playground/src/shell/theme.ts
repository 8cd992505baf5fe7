import { Store } from "@/store";

export type Theme = "light" | "dark" | "system";

const PLACE = "voiceforge.theme"; // public/theme.js reads it before the first paint

const system = matchMedia("(prefers-color-scheme: dark)");

function remembered(): Theme {
  const chosen = localStorage.getItem(PLACE);
  return chosen === "light" || chosen === "dark" ? chosen : "system";
}

/** What was chosen. */
export const theme = new Store<Theme>(remembered());

/** Whether the page is dark. */
export const dark = new Store(isDark());

function isDark(): boolean {
  return theme.get() === "system" ? system.matches : theme.get() === "dark";
}

function apply() {
  dark.set(isDark());
  document.documentElement.classList.toggle("dark", dark.get());
}

system.addEventListener("change", apply);

/** Choose one, for this browser. */
export function chooseTheme(chosen: Theme): void {
  if (chosen === "system") localStorage.removeItem(PLACE);
  else localStorage.setItem(PLACE, chosen);
  theme.set(chosen);
  apply();
}
