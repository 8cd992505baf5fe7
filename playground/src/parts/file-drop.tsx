import { Upload } from "lucide-react";
import { type DragEvent, type ReactNode, useId, useState } from "react";
import { cn } from "@/ui/cn";

interface Props {
  accept: string;
  several?: boolean;
  choose: (files: readonly File[]) => void;
  title: ReactNode;
  about: ReactNode;
}

/** Where files are dropped, or chosen. */
export function FileDrop({ accept, several = false, choose, title, about }: Props) {
  const [over, setOver] = useState(false);
  const id = useId();
  const take = (files: FileList | null) => {
    if (files?.length) choose([...files].slice(0, several ? undefined : 1));
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files);
  };
  return (
    <label
      htmlFor={id}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
      className={cn(
        "flex cursor-pointer flex-col items-center gap-3 rounded-card border-2 border-edge-strong border-dashed bg-glass px-6 py-10 text-center transition-[border-color,background] hover:border-royal-ink has-focus-visible:outline-2 has-focus-visible:outline-royal-ink",
        over && "border-royal-ink bg-royal-tint",
      )}
    >
      <span className="flex size-14 items-center justify-center rounded-2xl bg-royal-tint text-royal-ink">
        <Upload aria-hidden className="size-6" strokeWidth={1.75} />
      </span>
      <span className="max-w-full break-words font-semibold">{title}</span>
      <span className="figures text-soft text-sm">{about}</span>
      <input
        id={id}
        type="file"
        accept={accept}
        multiple={several}
        className="sr-only"
        onChange={({ target }) => {
          take(target.files);
          target.value = ""; // the same file again is a choice, too
        }}
      />
    </label>
  );
}
