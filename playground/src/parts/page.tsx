import type { ReactNode } from "react";
import { cn } from "@/ui/cn";

interface Props {
  title: string;
  about?: ReactNode;
  actions?: ReactNode;
  back?: ReactNode;
  className?: string;
  children: ReactNode;
}

/** A page with its heading. */
export function Page({ title, about, actions, back, className, children }: Props) {
  return (
    <div
      className={cn("mx-auto flex w-full max-w-6xl flex-col gap-5 p-4 sm:p-6 lg:py-8", className)}
    >
      <header className="flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
        <div className="flex min-w-0 flex-col gap-1">
          {back}
          <h1 className="break-words font-semibold text-2xl sm:text-[1.75rem]">{title}</h1>
          {about ? <p className="max-w-2xl text-soft text-sm leading-relaxed">{about}</p> : null}
        </div>
        {actions ? <div className="flex flex-wrap gap-2">{actions}</div> : null}
      </header>
      {children}
    </div>
  );
}
