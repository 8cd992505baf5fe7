// Runs before the first paint, so that a dark page never flashes white. A file of its own: the
// server's policy allows no inline script. `src/shell/theme.ts` writes what is read here.
const chosen = localStorage.getItem("voiceforge.theme");
const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
document.documentElement.classList.toggle("dark", dark);
