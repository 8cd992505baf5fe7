import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** The VoiceForge server behind `npm run dev`. */
const server = process.env.VOICEFORGE_URL ?? "http://localhost:8000";

const ITS_PATHS = ["/v1", "/v2", "/schema", "/docs", "/readyz", "/healthz"];

/** Served by the server under /app/, with a policy of its own files only: nothing is inlined. */
export default defineConfig({
  base: "/app/",
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "@": fileURLToPath(new URL("src", import.meta.url)) } },
  build: { assetsInlineLimit: 0, target: "es2022", modulePreload: { polyfill: false } },
  worker: { format: "es" },
  server: {
    proxy: Object.fromEntries(ITS_PATHS.map((path) => [path, { target: server, ws: true }])),
  },
  test: { environment: "jsdom", setupFiles: "src/test-setup.ts", css: false },
});
