import {
  AudioLines,
  Bot,
  ChartColumn,
  FileAudio,
  History,
  KeyRound,
  Library,
  type LucideIcon,
  MicVocal,
  ServerCog,
  Settings,
  Volume2,
} from "lucide-react";
import { type ComponentType, lazy } from "react";

export interface Page {
  path: string;
  name: string;
  icon: LucideIcon;
  /** What a key needs to be shown it. */
  scope: string;
  component: ComponentType;
}

/** All pages there are, in the order of the navigation. */
export const PAGES: readonly Page[] = [
  {
    path: "/",
    name: "Playground",
    icon: AudioLines,
    scope: "realtime",
    component: lazy(() => import("@/pages/playground/page")),
  },
  {
    path: "/agents",
    name: "Agents",
    icon: Bot,
    scope: "agents",
    component: lazy(() => import("@/pages/agents/page")),
  },
  {
    path: "/knowledge",
    name: "Knowledge",
    icon: Library,
    scope: "agents",
    component: lazy(() => import("@/pages/knowledge/page")),
  },
  {
    path: "/sessions",
    name: "Sessions",
    icon: History,
    scope: "records",
    component: lazy(() => import("@/pages/sessions/page")),
  },
  {
    path: "/speech",
    name: "Speech",
    icon: Volume2,
    scope: "speech",
    component: lazy(() => import("@/pages/speech/page")),
  },
  {
    path: "/transcribe",
    name: "Transcribe",
    icon: FileAudio,
    scope: "speech",
    component: lazy(() => import("@/pages/transcribe/page")),
  },
  {
    path: "/voices",
    name: "Voices",
    icon: MicVocal,
    scope: "speech",
    component: lazy(() => import("@/pages/voices/page")),
  },
  {
    path: "/keys",
    name: "Keys",
    icon: KeyRound,
    scope: "admin",
    component: lazy(() => import("@/pages/keys/page")),
  },
  {
    path: "/usage",
    name: "Usage",
    icon: ChartColumn,
    scope: "usage",
    component: lazy(() => import("@/pages/usage/page")),
  },
  {
    path: "/system",
    name: "System",
    icon: ServerCog,
    scope: "system",
    component: lazy(() => import("@/pages/system/page")),
  },
  {
    path: "/settings",
    name: "Settings",
    icon: Settings,
    scope: "agents",
    component: lazy(() => import("@/pages/settings/page")),
  },
];
