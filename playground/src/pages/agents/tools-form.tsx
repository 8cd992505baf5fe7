import { ChevronDown, Plus, Trash2, Wrench } from "lucide-react";
import { useContext, useId, useState } from "react";
import type { Config } from "@/api/agents";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { cn } from "@/ui/cn";
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuTrigger,
} from "@/ui/dropdown-menu";
import { Empty } from "@/ui/empty";
import { textAt } from "./config";
import { concerns, FaultContext } from "./faults";
import { ToolFields } from "./tool-fields";
import { CLIENTS, KINDS, type Kind, SERVERS, toolsAt, withTools } from "./tools";

interface Props {
  config: Config;
  setConfig: (config: Config) => void;
}

/** What it may do: what the server runs for it, and what it asks of the client. */
export function ToolsForm({ config, setConfig }: Props) {
  const [added, setAdded] = useState<string>();
  const both = [SERVERS, CLIENTS].map((place) => [place, toolsAt(config, place)] as const);
  const add = (kind: Kind) => {
    const tools = toolsAt(config, kind.place);
    setAdded(`config.${kind.place}[${tools.length}]`);
    setConfig(withTools(config, kind.place, [...tools, kind.blank]));
  };
  return (
    <div className="flex flex-col gap-6">
      <AddTool add={add} />
      {both.every(([, tools]) => tools.length === 0) ? (
        <Empty icon={Wrench} title="It can only talk">
          Give it a tool, and it looks things up, books, or ends the call when everything is done.
        </Empty>
      ) : null}
      {both.map(([place, tools]) =>
        tools.length ? (
          <Tools
            key={place}
            title={place === SERVERS ? "The server runs" : "The client answers"}
            path={`config.${place}`}
            tools={tools}
            opened={added}
            set={(tools) => setConfig(withTools(config, place, tools))}
          />
        ) : null,
      )}
    </div>
  );
}

function AddTool({ add }: { add: (kind: Kind) => void }) {
  return (
    <DropdownMenu>
      <DropdownMenuTrigger asChild>
        <Button size="sm" className="self-start">
          <Plus aria-hidden /> Add a tool
        </Button>
      </DropdownMenuTrigger>
      <DropdownMenuContent align="start" className="w-80 max-w-[calc(100vw-2rem)]">
        {KINDS.map((kind) => (
          <DropdownMenuItem key={kind.type} className="items-start" onSelect={() => add(kind)}>
            <kind.icon aria-hidden className="mt-0.5 shrink-0" />
            <span className="flex flex-col">
              <span className="font-medium">{kind.name}</span>
              <span className="text-soft text-xs leading-relaxed">{kind.about}</span>
            </span>
          </DropdownMenuItem>
        ))}
      </DropdownMenuContent>
    </DropdownMenu>
  );
}

interface ToolsProps {
  title: string;
  path: string;
  tools: readonly Config[];
  /** The path of the one that was just added. */
  opened: string | undefined;
  set: (tools: readonly Config[]) => void;
}

let made = 0;
const fresh = () => {
  made += 1;
  return made;
};

function Tools({ title, path, tools, opened, set }: ToolsProps) {
  // Each has a name of its own for React, so that what is open stays open when another goes.
  const [keys, setKeys] = useState<readonly number[]>([]);
  const all = tools.map((_, index) => keys[index] ?? fresh());
  if (all.length !== keys.length) setKeys(all);
  return (
    <section aria-label={title} className="flex flex-col gap-2">
      <h3 className="font-medium text-[0.8125rem] text-soft">{title}</h3>
      <ul className="flex flex-col gap-2">
        {tools.map((tool, index) => (
          <Tool
            key={all[index]}
            tool={tool}
            path={`${path}[${index}]`}
            opened={opened === `${path}[${index}]`}
            set={(next) => set(tools.map((one, at) => (at === index ? next : one)))}
            remove={() => {
              setKeys(all.filter((_, at) => at !== index));
              set(tools.filter((_, at) => at !== index));
            }}
          />
        ))}
      </ul>
    </section>
  );
}

interface ToolProps {
  tool: Config;
  path: string;
  opened: boolean;
  set: (tool: Config) => void;
  remove: () => void;
}

function Tool({ tool, path, opened, set, remove }: ToolProps) {
  const fault = useContext(FaultContext);
  const wrong = fault !== null && concerns(path, fault.place);
  const [wanted, setWanted] = useState(opened);
  const open = wanted || wrong;
  const id = useId();
  const kind = KINDS.find(({ type }) => type === tool.type);
  const Icon = kind?.icon ?? Wrench;
  const name = textAt(tool, "name") || textAt(tool, "url") || kind?.name || "Tool";
  return (
    <li className={cn("rounded-2xl border", wrong ? "border-bad" : "border-edge")}>
      <div className="flex items-center gap-1 pr-2">
        <button
          type="button"
          aria-expanded={open}
          aria-controls={id}
          onClick={() => setWanted(!open)}
          className="flex min-w-0 flex-1 items-center gap-3 rounded-2xl px-4 py-3 text-left"
        >
          <Icon aria-hidden className="size-4 shrink-0 text-royal-ink" />
          <span className="flex min-w-0 flex-1 flex-wrap items-center gap-x-3 gap-y-1">
            <span className="min-w-0 truncate font-medium text-sm">{name}</span>
            {name === kind?.name ? null : <Badge>{kind?.name ?? textAt(tool, "type")}</Badge>}
          </span>
          <ChevronDown
            aria-hidden
            className={cn("size-4 shrink-0 text-soft transition-transform", open && "rotate-180")}
          />
        </button>
        <Button variant="quiet" size="icon-sm" aria-label={`Remove ${name}`} onClick={remove}>
          <Trash2 aria-hidden />
        </Button>
      </div>
      <div id={id} hidden={!open} className="border-t border-edge p-4">
        {kind ? <p className="mb-4 text-soft text-sm">{kind.about}</p> : null}
        <ToolFields tool={tool} set={set} path={path} />
      </div>
    </li>
  );
}
