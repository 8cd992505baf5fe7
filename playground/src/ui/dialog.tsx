import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import type { ComponentProps, ReactNode } from "react";
import { Button } from "./button";
import { cn } from "./cn";

export const Dialog = Radix.Root;
export const DialogTrigger = Radix.Trigger;
export const DialogClose = Radix.Close;

interface Props extends Omit<ComponentProps<typeof Radix.Content>, "title" | "about"> {
  title: string;
  about?: ReactNode;
}

/**
 * A dialog over a veil of its own: Radix's overlay locks scrolling by a style element, which the
 * page's policy refuses. The page behind cannot scroll anyway, its parts do.
 */
export function DialogContent({ title, about, className, children, ...rest }: Props) {
  return (
    <Radix.Portal>
      <div aria-hidden className="fixed inset-0 z-40 animate-fade bg-ground/70 backdrop-blur-sm" />
      <Radix.Content
        className={cn(
          "-translate-x-1/2 -translate-y-1/2 fixed top-1/2 left-1/2 z-50 flex max-h-[90dvh] w-[calc(100vw-2rem)] max-w-lg flex-col gap-4 overflow-y-auto rounded-card border border-edge bg-solid p-6 shadow-float",
          className,
        )}
        {...(about ? {} : { "aria-describedby": undefined })}
        {...rest}
      >
        <header className="flex items-start justify-between gap-4">
          <div className="flex flex-col gap-1">
            <Radix.Title className="font-semibold text-lg">{title}</Radix.Title>
            {about ? (
              <Radix.Description className="text-soft text-sm leading-relaxed">
                {about}
              </Radix.Description>
            ) : null}
          </div>
          <Radix.Close asChild>
            <Button variant="quiet" size="icon-sm" aria-label="Close">
              <X aria-hidden />
            </Button>
          </Radix.Close>
        </header>
        {children}
      </Radix.Content>
    </Radix.Portal>
  );
}
