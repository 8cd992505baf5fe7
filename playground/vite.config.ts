import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { signedInByEnvironment } from "./dev/signed-in.ts";

/** The VoiceForge server behind `npm run dev`. */
const server = process.env.VOICEFORGE_URL ?? "http://localhost:8000";

/** Served by the server under /app/, with a policy of its own files only: nothing is inlined. */
export default defineConfig({
  base: "/app/",
  plugins: [react(), tailwindcss(), signedInByEnvironment(process.env.VOICEFORGE_API_KEY)],
  resolve: { alias: { "@": fileURLToPath(new URL("src", import.meta.url)) } },
  build: { assetsInlineLimit: 0, target: "es2022", modulePreload: { polyfill: false } },
  worker: { format: "es" },
  server: {
    proxy: Object.fromEntries(
      ["/v1", "/v2", "/schema", "/docs", "/readyz", "/healthz"].map((path) => [
        path,
        {
          target: server,
          ws: true,
          ...(process.env.VOICEFORGE_API_KEY
            ? { headers: { authorization: `Bearer ${process.env.VOICEFORGE_API_KEY}` } }
            : {}),
        },
      ]),
    ),
  },
  test: { environment: "jsdom", setupFiles: "src/test-setup.ts", css: false },
});
