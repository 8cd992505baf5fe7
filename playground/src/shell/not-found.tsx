import { Compass } from "lucide-react";
import { Link } from "wouter";
import { Button } from "@/ui/button";
import { Empty } from "@/ui/empty";

export function NotFound() {
  return (
    <>
      <h1 className="sr-only">Not found</h1>
      <Empty
        icon={Compass}
        title="There is no such page"
        action={
          <Button asChild variant="primary">
            <Link href="/">To the playground</Link>
          </Button>
        }
      >
        The link may be old, or the key may not open it.
      </Empty>
    </>
  );
}
