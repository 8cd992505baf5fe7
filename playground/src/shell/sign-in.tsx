import { Eye, EyeOff, KeyRound, LoaderCircle } from "lucide-react";
import { type FormEvent, useState } from "react";
import { said } from "@/api/refusal";
import { enter } from "@/api/web-session";
import { Button } from "@/ui/button";
import { Field, Input } from "@/ui/field";
import { Notice } from "@/ui/notice";
import { Mark } from "./mark";
import { ThemeMenu } from "./theme-menu";

/** Where everybody begins who is not signed in. `because`: why they are here again. */
export function SignIn({ because }: { because?: string | undefined }) {
  const [key, setKey] = useState("");
  const [shown, setShown] = useState(false);
  const [asking, setAsking] = useState(false);
  const [error, setError] = useState<string>();

  async function submit(event: FormEvent) {
    event.preventDefault();
    setAsking(true);
    setError(undefined);
    try {
      await enter(key.trim());
    } catch (refused) {
      setError(said(refused));
      setAsking(false);
    }
  }

  return (
    <main className="flex min-h-dvh flex-col items-center justify-center gap-6 p-4">
      <div className="fixed top-4 right-4">
        <ThemeMenu />
      </div>
      <div className="flex w-full max-w-md animate-rise flex-col gap-8">
        <header className="flex flex-col items-center gap-5 text-center">
          <Mark className="size-14 rounded-2xl [&_svg]:size-8" />
          <div className="flex flex-col gap-2">
            <h1 className="font-semibold text-3xl">VoiceForge</h1>
            <p className="text-soft">Your voices, your agents, your machine.</p>
          </div>
        </header>
        {because && !error ? (
          <Notice kind="warn" title="You were signed out">
            {because}
          </Notice>
        ) : null}
        <form onSubmit={submit} className="glass flex flex-col gap-5 rounded-card p-6 sm:p-8">
          <Field label="API key" error={error}>
            {(field) => (
              <div className="relative">
                <Input
                  {...field}
                  name="key"
                  type={shown ? "text" : "password"}
                  value={key}
                  onChange={(event) => setKey(event.target.value)}
                  placeholder="vf_…"
                  autoComplete="current-password"
                  autoCapitalize="off"
                  spellCheck={false}
                  autoFocus
                  required
                  className="h-12 pr-12 font-mono"
                />
                <Button
                  variant="quiet"
                  size="icon-sm"
                  className="absolute top-2 right-2"
                  aria-label={shown ? "Hide the key" : "Show the key"}
                  aria-pressed={shown}
                  onClick={() => setShown(!shown)}
                >
                  {shown ? <EyeOff aria-hidden /> : <Eye aria-hidden />}
                </Button>
              </div>
            )}
          </Field>
          <Button type="submit" variant="primary" size="lg" disabled={asking || !key.trim()}>
            {asking ? <LoaderCircle aria-hidden className="animate-spin" /> : null}
            {asking ? "Signing in" : "Sign in"}
          </Button>
        </form>
        <aside className="flex flex-col gap-2 px-2 text-soft text-sm leading-relaxed">
          <p className="flex items-center gap-2 font-medium text-ink">
            <KeyRound aria-hidden className="size-4" /> Where is my key?
          </p>
          <p>
            The server prints where the administrator's key is each time it starts: a file{" "}
            <Code>admin.key</Code>. For a key of your own, run <Code>voiceforge keys create</Code>{" "}
            on the machine, or ask who runs it.
          </p>
        </aside>
      </div>
    </main>
  );
}

function Code({ children }: { children: string }) {
  return (
    <code className="rounded-md bg-sunken px-1.5 py-0.5 text-[0.8125rem] text-ink">{children}</code>
  );
}
