import { X } from "lucide-react";
import { Toast as Radix } from "radix-ui";
import { useSyncExternalStore } from "react";
import { Button } from "./button";
import { cn } from "./cn";

interface Shown {
  id: number;
  kind: "info" | "good" | "bad";
  title: string;
  text?: string;
}

let toasts: readonly Shown[] = [];
let count = 0;
const watchers = new Set<() => void>();

function change(next: readonly Shown[]) {
  toasts = next;
  for (const watcher of watchers) watcher();
}

function watch(watcher: () => void) {
  watchers.add(watcher);
  return () => void watchers.delete(watcher);
}

/** Say something in the corner, for a few seconds. */
export function toast(title: string, text?: string, kind: Shown["kind"] = "info") {
  count += 1;
  change([...toasts.slice(-3), { id: count, kind, title, ...(text ? { text } : {}) }]);
}

/** Where they appear: once, at the root. */
export function Toaster() {
  const shown = useSyncExternalStore(watch, () => toasts);
  return (
    <Radix.Provider swipeDirection="right" duration={6000}>
      {shown.map((one) => (
        <Radix.Root
          key={one.id}
          onOpenChange={(open) => open || change(toasts.filter(({ id }) => id !== one.id))}
          className={cn(
            "flex w-full animate-rise items-start gap-3 rounded-2xl border border-edge bg-solid p-4 pr-2 shadow-float backdrop-blur-xl data-[swipe=move]:translate-x-(--radix-toast-swipe-move-x)",
            one.kind === "bad" && "border-l-4 border-l-bad",
            one.kind === "good" && "border-l-4 border-l-good",
          )}
        >
          <div className="min-w-0 flex-1">
            <Radix.Title className="font-semibold text-sm">{one.title}</Radix.Title>
            {one.text ? (
              <Radix.Description className="mt-0.5 break-words text-soft text-sm leading-relaxed">
                {one.text}
              </Radix.Description>
            ) : null}
          </div>
          <Radix.Close asChild>
            <Button variant="quiet" size="icon-sm" aria-label="Dismiss">
              <X aria-hidden />
            </Button>
          </Radix.Close>
        </Radix.Root>
      ))}
      <Radix.Viewport className="fixed right-4 bottom-4 z-60 flex w-88 max-w-[calc(100vw-2rem)] flex-col gap-2 outline-none" />
    </Radix.Provider>
  );
}
