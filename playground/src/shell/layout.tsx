import { Ellipsis } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import { Link, useLocation, useRoute } from "wouter";
import { may, type WebSession } from "@/api/web-session";
import { underWay } from "@/realtime/under-way";
import { cn } from "@/ui/cn";
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuTrigger,
} from "@/ui/dropdown-menu";
import { useStore } from "@/use-store";
import { AccountMenu } from "./account-menu";
import { ConnectionBanner } from "./connection-banner";
import { Mark } from "./mark";
import { PAGES, type Page } from "./pages";
import { ThemeMenu } from "./theme-menu";

/**
 * The frame around every page: beside it on a desk, below it on a phone. `entered`: whoever looks at
 * it has just signed in.
 */
export function Layout({
  session,
  entered,
  children,
}: {
  session: WebSession;
  entered: boolean;
  children: ReactNode;
}) {
  const pages = PAGES.filter((page) => may(session, page.scope));
  const main = useFreshPage(entered);
  return (
    <div className="flex h-dvh flex-col lg:flex-row">
      <a
        href="#main"
        className="-top-20 fixed left-4 z-60 rounded-field bg-royal px-4 py-2 text-on-royal text-sm focus:top-4"
      >
        To the content
      </a>
      <aside className="flex shrink-0 items-center justify-between gap-2 px-4 pt-3 lg:w-60 lg:flex-col lg:items-stretch lg:justify-start lg:gap-8 lg:p-4 lg:pr-2">
        <Link href="/" className="flex items-center gap-3 rounded-field lg:p-2">
          <Mark />
          <span className="font-display font-semibold text-lg tracking-tight">VoiceForge</span>
        </Link>
        <nav aria-label="Pages" className="hidden flex-col gap-1 lg:flex">
          {pages.map((page) => (
            <Entry key={page.path} page={page} />
          ))}
        </nav>
        <div className="flex items-center gap-1 lg:mt-auto">
          <ThemeMenu />
          <AccountMenu session={session} />
        </div>
      </aside>
      <div className="flex min-h-0 min-w-0 flex-1 flex-col">
        <ConnectionBanner />
        <main
          ref={main}
          id="main"
          tabIndex={0}
          className="min-h-0 flex-1 overflow-y-auto -outline-offset-2"
        >
          {children}
        </main>
      </div>
      <PhoneNavigation pages={pages} />
    </div>
  );
}

/** On another page one begins at its top, also who reads by ear or by keys; and behind the sign-in. */
function useFreshPage(entered: boolean) {
  const main = useRef<HTMLElement>(null);
  useEffect(() => {
    if (entered) main.current?.focus({ preventScroll: true });
  }, [entered]);
  const [path] = useLocation();
  const last = useRef(path);
  useEffect(() => {
    if (last.current === path) return;
    last.current = path;
    main.current?.focus({ preventScroll: true });
    main.current?.scrollTo(0, 0);
  }, [path]);
  return main;
}

const MOST_BELOW = 4; // entries that a thumb can tell apart

function PhoneNavigation({ pages }: { pages: readonly Page[] }) {
  const [path, go] = useLocation();
  const rest = pages.slice(MOST_BELOW);
  const here = rest.find((page) => path === page.path || path.startsWith(`${page.path}/`));
  return (
    <nav
      aria-label="Pages"
      className="flex shrink-0 justify-around gap-1 border-t bg-glass px-2 pt-1.5 pb-[max(0.5rem,env(safe-area-inset-bottom))] backdrop-blur-xl lg:hidden"
    >
      {pages.slice(0, MOST_BELOW).map((page) => (
        <Entry key={page.path} page={page} small />
      ))}
      {rest.length ? (
        <DropdownMenu>
          <DropdownMenuTrigger
            className={cn(
              "flex min-w-14 flex-col items-center gap-0.5 rounded-field px-2 py-1 font-medium text-[0.6875rem] text-soft",
              here && "bg-royal-tint text-royal-ink",
            )}
          >
            <Ellipsis aria-hidden className="size-4.5" />
            More
            {here ? <span className="sr-only">, with {here.name}, which is open</span> : null}
          </DropdownMenuTrigger>
          <DropdownMenuContent align="end">
            {rest.map(({ path, name, icon: Icon }) => (
              <DropdownMenuItem key={path} onSelect={() => go(path)}>
                <Icon aria-hidden />
                {name}
              </DropdownMenuItem>
            ))}
          </DropdownMenuContent>
        </DropdownMenu>
      ) : null}
    </nav>
  );
}

function Entry({ page, small = false }: { page: Page; small?: boolean }) {
  const [exact] = useRoute(page.path);
  const [below] = useRoute(`${page.path}/*`);
  const here = exact || (page.path !== "/" && below);
  const Icon = page.icon;
  const talks = useStore(underWay) && page.path === "/";
  return (
    <Link
      href={page.path}
      aria-current={here ? "page" : undefined}
      className={cn(
        "flex items-center rounded-field font-medium text-soft transition-[background,color] duration-150 hover:bg-royal-tint hover:text-ink",
        small
          ? "min-w-16 flex-col gap-0.5 px-2 py-1 text-[0.6875rem]"
          : "gap-3 px-3 py-2.5 text-sm",
        here && "bg-royal-tint text-royal-ink hover:text-royal-ink",
      )}
    >
      <Icon aria-hidden className="size-4.5" strokeWidth={here ? 2.25 : 1.75} />
      {page.name}
      {talks ? (
        <span className={cn("size-2 animate-breathe rounded-full bg-good", !small && "ml-auto")}>
          <span className="sr-only">, a call is under way</span>
        </span>
      ) : null}
    </Link>
  );
}
