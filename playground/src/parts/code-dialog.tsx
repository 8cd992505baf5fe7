import { Code } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Button } from "@/ui/button";
import { Dialog, DialogContent, DialogTrigger } from "@/ui/dialog";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "@/ui/tabs";
import { Copy } from "./copy";

interface Props {
  title: string;
  about: ReactNode;
  /** The code, by what it is written in; made when it is looked at. */
  codes: Readonly<Record<string, () => string>>;
}

/** The same from elsewhere, to be copied. */
export function CodeDialog({ title, about, codes }: Props) {
  const languages = Object.keys(codes);
  const [language, setLanguage] = useState(languages[0] ?? "");
  return (
    <Dialog>
      <DialogTrigger asChild>
        <Button size="sm">
          <Code aria-hidden /> Code
        </Button>
      </DialogTrigger>
      <DialogContent title={title} about={about} className="max-w-2xl">
        <Tabs value={language} onValueChange={setLanguage}>
          <div className="flex items-center justify-between gap-2">
            <TabsList>
              {languages.map((one) => (
                <TabsTrigger key={one} value={one}>
                  {one}
                </TabsTrigger>
              ))}
            </TabsList>
            <Copy text={codes[language]?.() ?? ""} />
          </div>
          <TabsContent value={language} className="pt-3">
            <pre
              tabIndex={0}
              className="max-h-[60dvh] overflow-auto rounded-2xl bg-sunken p-4 font-mono text-[0.8125rem] leading-relaxed"
            >
              {codes[language]?.()}
            </pre>
          </TabsContent>
        </Tabs>
      </DialogContent>
    </Dialog>
  );
}
