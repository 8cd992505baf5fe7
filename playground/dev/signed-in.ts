import type { Plugin } from "vite";

/**
 * With VOICEFORGE_API_KEY in the environment, `npm run dev` needs no sign-in: the proxy sends the
 * key, and this answers for the session. It has no part in a build.
 */
export function signedInByEnvironment(key: string | undefined): Plugin {
  const session = {
    key: { id: "key_dev", name: "VOICEFORGE_API_KEY", prefix: key?.slice(0, 7) },
    account_id: "acc_default",
    scopes: ["admin"],
    csrf_token: "dev",
  };
  return {
    name: "signed-in-by-environment",
    apply: "serve",
    configureServer(server) {
      if (key === undefined) return;
      server.middlewares.use("/v1/web/session", (_, response) => {
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify(session));
      });
    },
  };
}
