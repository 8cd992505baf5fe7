import { BookOpen, LogOut, UserRound } from "lucide-react";
import { said } from "@/api/refusal";
import { leave, type WebSession } from "@/api/web-session";
import { Button } from "@/ui/button";
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuLabel,
  DropdownMenuSeparator,
  DropdownMenuTrigger,
} from "@/ui/dropdown-menu";
import { toast } from "@/ui/toast";

/** Whose key it is, and the way out. */
export function AccountMenu({ session }: { session: WebSession }) {
  const out = () => leave().catch((error) => toast("Not signed out", said(error), "bad"));
  return (
    <DropdownMenu>
      <DropdownMenuTrigger asChild>
        <Button variant="quiet" size="icon" aria-label="Account">
          <UserRound aria-hidden />
        </Button>
      </DropdownMenuTrigger>
      <DropdownMenuContent align="end" className="w-64">
        <DropdownMenuLabel>
          <span className="block truncate font-medium text-ink text-sm">
            {session.key.name || session.key.id}
          </span>
          <span className="mt-0.5 block truncate">
            {session.account_name || session.account_id} · {session.scopes.join(", ")}
          </span>
        </DropdownMenuLabel>
        <DropdownMenuSeparator />
        <DropdownMenuItem asChild>
          <a href="/docs" target="_blank" rel="noreferrer">
            <BookOpen aria-hidden /> API documentation
          </a>
        </DropdownMenuItem>
        <DropdownMenuItem onSelect={out}>
          <LogOut aria-hidden /> Sign out
        </DropdownMenuItem>
      </DropdownMenuContent>
    </DropdownMenu>
  );
}
