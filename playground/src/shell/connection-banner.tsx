import { useQueryClient } from "@tanstack/react-query";
import { WifiOff } from "lucide-react";
import { useEffect } from "react";
import { reachable } from "@/api/reach";
import { useStore } from "@/use-store";

const LOOK_AGAIN_MS = 2000;

/** While the server does not answer: says so, and looks until it does. */
export function ConnectionBanner() {
  const lost = !useStore(reachable);
  const queries = useQueryClient();
  useEffect(() => {
    if (!lost) return;
    const timer = setInterval(async () => {
      const back = await fetch("/healthz").then(
        (response) => response.ok,
        () => false,
      );
      if (!back) return;
      reachable.set(true);
      void queries.invalidateQueries();
    }, LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [lost, queries]);
  if (!lost) return null;
  return (
    <div
      role="alert"
      className="flex animate-rise items-center justify-center gap-2 bg-warn-tint px-4 py-2 font-medium text-sm text-warn"
    >
      <WifiOff aria-hidden className="size-4" />
      The server does not answer. This page goes on as soon as it does.
    </div>
  );
}
