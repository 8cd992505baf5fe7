import { CircleAlert, CircleCheck, Info, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { cn } from "./cn";

const kinds = {
  info: { icon: Info, look: "bg-royal-tint text-royal-ink" },
  good: { icon: CircleCheck, look: "bg-good-tint text-good" },
  warn: { icon: TriangleAlert, look: "bg-warn-tint text-warn" },
  bad: { icon: CircleAlert, look: "bg-bad-tint text-bad" },
};

type NoticeKind = keyof typeof kinds;

interface Props {
  kind?: NoticeKind;
  title?: string;
  children?: ReactNode;
  action?: ReactNode;
  className?: string;
}

/** Something to know, in its place: what happened, and what to do. */
export function Notice({ kind = "info", title, children, action, className }: Props) {
  const { icon: Icon, look } = kinds[kind];
  return (
    <div
      role={kind === "bad" ? "alert" : "status"}
      className={cn(
        "flex animate-rise items-start gap-3 rounded-2xl px-4 py-3 text-sm",
        look,
        className,
      )}
    >
      <Icon aria-hidden className="mt-0.5 size-4.5 shrink-0" />
      <div className="flex min-w-0 flex-1 flex-col gap-0.5 leading-relaxed">
        {title ? <p className="font-semibold">{title}</p> : null}
        {children ? <div className="text-ink">{children}</div> : null}
      </div>
      {action}
    </div>
  );
}
