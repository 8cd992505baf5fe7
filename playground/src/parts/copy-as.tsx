import { Code } from "lucide-react";
import { useState } from "react";
import { Button } from "@/ui/button";
import { Dialog, DialogContent, DialogTrigger } from "@/ui/dialog";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "@/ui/tabs";
import { type ApiCall, asCode, LANGUAGES, type Language } from "./as-code";
import { Copy } from "./copy";

/** The call behind what is shown, to be copied. */
export function CopyAs({ call, label = "Code" }: { call: ApiCall; label?: string }) {
  const [language, setLanguage] = useState<Language>("curl");
  const code = asCode(call, language, window.location.origin);
  return (
    <Dialog>
      <DialogTrigger asChild>
        <Button size="sm">
          <Code aria-hidden /> {label}
        </Button>
      </DialogTrigger>
      <DialogContent
        title={`${call.method} ${call.path.split("?")[0]}`}
        about="The same call, with a key of yours in VOICEFORGE_API_KEY."
        className="max-w-2xl"
      >
        <Tabs value={language} onValueChange={(value) => setLanguage(value as Language)}>
          <div className="flex items-center justify-between gap-2">
            <TabsList>
              {LANGUAGES.map((one) => (
                <TabsTrigger key={one} value={one}>
                  {one}
                </TabsTrigger>
              ))}
            </TabsList>
            <Copy text={code} />
          </div>
          <TabsContent value={language} className="pt-3">
            <pre
              tabIndex={0}
              className="max-h-96 overflow-auto rounded-2xl bg-sunken p-4 font-mono text-[0.8125rem] leading-relaxed"
            >
              {code}
            </pre>
          </TabsContent>
        </Tabs>
      </DialogContent>
    </Dialog>
  );
}
