import { ArrowUp } from "lucide-react";
import { type FormEvent, type KeyboardEvent, useState } from "react";
import { isOpen, isUnderWay } from "@/realtime/call-state";
import { Button } from "@/ui/button";
import { useStore } from "@/use-store";
import { call, setup } from "./current-call";

/** To say something in writing; without a call it begins one, whose microphone is off. */
export function Composer() {
  const [text, setText] = useState("");
  const state = useStore(call.store);
  const waits = isUnderWay(state) && !isOpen(state);

  async function submit(event?: FormEvent) {
    event?.preventDefault();
    const said = text.trim();
    if (!said || waits) return;
    setText("");
    if (!isUnderWay(call.store.get())) await call.begin(setup.get(), false);
    if (!(await call.type(said))) setText(said);
  }

  const key = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    void submit();
    event.preventDefault();
  };
  return (
    <form onSubmit={submit} className="px-4 pb-4 sm:px-6">
      <div className="mx-auto flex max-w-2xl items-end gap-2 rounded-2xl border border-edge bg-solid p-1.5 shadow-glass transition-[border-color,box-shadow] focus-within:border-royal-ink focus-within:ring-3 focus-within:ring-royal-tint">
        <textarea
          aria-label="Message"
          rows={1}
          value={text}
          onChange={({ target }) => setText(target.value)}
          onKeyDown={key}
          placeholder="Write to the agent…"
          className="field-sizing-content max-h-40 min-h-10 flex-1 resize-none bg-transparent px-3 py-2 text-[0.9375rem] leading-relaxed outline-none placeholder:text-soft/80"
        />
        <Button
          type="submit"
          variant="primary"
          size="icon"
          aria-label="Send"
          disabled={!text.trim() || waits}
        >
          <ArrowUp aria-hidden />
        </Button>
      </div>
    </form>
  );
}
