import type { MadeKey } from "@/api/keys";
import { Copy } from "@/parts/copy";
import { Button } from "@/ui/button";
import { DialogClose } from "@/ui/dialog";
import { Notice } from "@/ui/notice";

/** A key's secret, this once. */
export function Made({ made }: { made: MadeKey }) {
  return (
    <div className="flex flex-col gap-4">
      <Notice kind="warn" title="Copy it now">
        It is shown this once: the server keeps only what recognises it.
      </Notice>
      <div className="flex items-center gap-2 rounded-2xl bg-sunken p-3">
        <code className="min-w-0 flex-1 break-all font-mono text-sm">{made.secret}</code>
        <Copy text={made.secret} />
      </div>
      <DialogClose asChild>
        <Button variant="primary" className="self-end">
          I have it
        </Button>
      </DialogClose>
    </div>
  );
}
