import { Page } from "@/parts/page";
import { DictionariesCard } from "./dictionaries-card";
import { SecretsCard } from "./secrets-card";
import { ThemeCard } from "./theme-card";
import { WebhooksCard } from "./webhooks-card";

/** What the account keeps for its agents, and how this browser looks. */
export default function Settings() {
  return (
    <Page
      title="Settings"
      about="What your agents may use, who is told of what happens, and how it all looks."
    >
      <div className="grid items-start gap-5 lg:grid-cols-2">
        <div className="flex min-w-0 flex-col gap-5">
          <SecretsCard />
          <DictionariesCard />
        </div>
        <div className="flex min-w-0 flex-col gap-5">
          <WebhooksCard />
          <ThemeCard />
        </div>
      </div>
    </Page>
  );
}
