import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { Suspense, useEffect, useState } from "react";
import { Route, Router, Switch } from "wouter";
import { left } from "@/api/leaving";
import { Refusal, said } from "@/api/refusal";
import { lookUp, signIn } from "@/api/web-session";
import { ErrorBoundary } from "@/shell/error-boundary";
import { Layout } from "@/shell/layout";
import { Mark } from "@/shell/mark";
import { NotFound } from "@/shell/not-found";
import { PAGES } from "@/shell/pages";
import { SignIn } from "@/shell/sign-in";
import { Button } from "@/ui/button";
import { Notice } from "@/ui/notice";
import { Skeleton } from "@/ui/skeleton";
import { Toaster } from "@/ui/toast";
import { TooltipProvider } from "@/ui/tooltip";
import { useStore } from "@/use-store";

const MOST_TRIES = 2;

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // What the server refused it would refuse again.
      retry: (tries, error) =>
        tries < MOST_TRIES &&
        !(error instanceof Refusal && error.status >= 400 && error.status < 500),
    },
  },
});

export function App() {
  return (
    <QueryClientProvider client={queries}>
      <TooltipProvider delayDuration={300}>
        <Router base="/app">
          <Inside />
        </Router>
        <Toaster />
      </TooltipProvider>
    </QueryClientProvider>
  );
}

function Inside() {
  const state = useStore(signIn);
  const deliberate = state.at === "out" && state.because === undefined;
  useEffect(() => {
    if (state.at !== "out") return;
    queries.clear(); // the next one may see other things
    left(deliberate);
  }, [state.at, deliberate]);
  switch (state.at) {
    case "asking":
      return <Asking />;
    case "out":
      return <SignIn because={state.because} />;
    case "in":
      return (
        <Layout session={state.session} entered={state.entered ?? false}>
          <Switch>
            {PAGES.map(({ path, component: Component }) => (
              <Route key={path} path={path} nest={path !== "/"}>
                <ErrorBoundary>
                  <Suspense fallback={<Loading />}>
                    <Component />
                  </Suspense>
                </ErrorBoundary>
              </Route>
            ))}
            <Route>
              <NotFound />
            </Route>
          </Switch>
        </Layout>
      );
  }
}

function Loading() {
  return (
    <div className="flex flex-col gap-4 p-6" role="status" aria-label="Loading">
      <Skeleton className="h-9 w-56" />
      <Skeleton className="h-64 rounded-card" />
    </div>
  );
}

function Asking() {
  const [error, setError] = useState<string>();
  const ask = () => {
    setError(undefined);
    lookUp().catch((refused) => setError(said(refused)));
  };
  useEffect(() => {
    lookUp().catch((refused) => setError(said(refused)));
  }, []);
  return (
    <main className="flex min-h-dvh flex-col items-center justify-center gap-6 p-6">
      <h1 className="sr-only">VoiceForge</h1>
      <Mark className="size-14 animate-breathe rounded-2xl [&_svg]:size-8" />
      {error ? (
        <Notice
          kind="warn"
          action={
            <Button size="sm" onClick={ask}>
              Try again
            </Button>
          }
        >
          {error}
        </Notice>
      ) : null}
    </main>
  );
}
