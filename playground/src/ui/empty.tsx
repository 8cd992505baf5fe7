import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

interface Props {
  icon: LucideIcon;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}

/** What will be here one day, and how it comes here. */
export function Empty({ icon: Icon, title, children, action }: Props) {
  return (
    <div className="flex flex-col items-center justify-center gap-3 px-6 py-14 text-center">
      <span className="flex size-14 items-center justify-center rounded-2xl bg-royal-tint text-royal-ink">
        <Icon aria-hidden className="size-6" strokeWidth={1.75} />
      </span>
      <h3 className="font-semibold text-base">{title}</h3>
      {children ? (
        <div className="max-w-md text-soft text-sm leading-relaxed">{children}</div>
      ) : null}
      {action}
    </div>
  );
}
