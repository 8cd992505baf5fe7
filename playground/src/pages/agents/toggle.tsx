import type { ReactNode } from "react";
import { Switch } from "@/ui/switch";

interface Props {
  title: string;
  about: ReactNode;
  checked: boolean;
  set: (checked: boolean) => void;
}

/** Yes or no, and what that means. */
export function Toggle({ title, about, checked, set }: Props) {
  return (
    <label className="flex items-center justify-between gap-6 rounded-2xl bg-sunken px-4 py-3.5">
      <span className="flex flex-col gap-0.5">
        <span className="font-medium text-sm">{title}</span>
        <span className="text-soft text-xs leading-relaxed">{about}</span>
      </span>
      <Switch checked={checked} onCheckedChange={set} />
    </label>
  );
}
