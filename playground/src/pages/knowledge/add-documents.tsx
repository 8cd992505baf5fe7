import { useMutation, useQueryClient } from "@tanstack/react-query";
import { ClipboardPaste, LoaderCircle, Upload } from "lucide-react";
import { type FormEvent, useState } from "react";
import { add, documents, KINDS } from "@/api/knowledge";
import { said } from "@/api/refusal";
import { counted } from "@/parts/figures";
import { FileDrop } from "@/parts/file-drop";
import { Button } from "@/ui/button";
import { Card, CardBody } from "@/ui/card";
import { Field, Input, Textarea } from "@/ui/field";
import { Notice } from "@/ui/notice";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "@/ui/tabs";

/** Files that are dropped, or a text that is pasted. */
export function AddDocuments({ id }: { id: string }) {
  const [wrong, setWrong] = useState<readonly string[]>([]);
  const queries = useQueryClient();
  const adding = useMutation({
    // One after another: each is held whole in the server's memory while it comes in.
    mutationFn: async (files: readonly File[]) => {
      const refused: string[] = [];
      for (const file of files) {
        await add(id, file).catch((error) => refused.push(`${file.name}: ${said(error)}`));
        void queries.invalidateQueries({ queryKey: documents(id).queryKey });
      }
      return refused;
    },
    onMutate: () => setWrong([]),
    onSuccess: setWrong,
  });
  const several = adding.variables?.length ?? 0;
  return (
    <Card aria-label="Add documents">
      <Tabs defaultValue="files">
        <div className="px-5 pt-4">
          <TabsList>
            <TabsTrigger value="files">
              <Upload aria-hidden className="size-4" /> Files
            </TabsTrigger>
            <TabsTrigger value="text">
              <ClipboardPaste aria-hidden className="size-4" /> Text
            </TabsTrigger>
          </TabsList>
        </div>
        <CardBody className="flex flex-col gap-4 pt-4">
          <TabsContent value="files">
            <FileDrop
              accept={KINDS}
              several
              choose={(files) => adding.mutate(files)}
              title="Drop documents here, or choose some"
              about="Text, Markdown, HTML or PDF, up to 20 MB each"
            />
          </TabsContent>
          <TabsContent value="text">
            <Paste add={(file) => adding.mutate([file])} />
          </TabsContent>
          {adding.isPending ? (
            <p role="status" className="flex items-center gap-2 text-soft text-sm">
              <LoaderCircle aria-hidden className="size-4 animate-spin" /> Sending{" "}
              {counted(several, "document")}…
            </p>
          ) : null}
          {wrong.length ? (
            <Notice kind="bad" title={`${counted(wrong.length, "document")} not added`}>
              <ul className="flex flex-col gap-1 break-words">
                {wrong.map((text) => (
                  <li key={text}>{text}</li>
                ))}
              </ul>
            </Notice>
          ) : null}
        </CardBody>
      </Tabs>
    </Card>
  );
}

function Paste({ add }: { add: (file: File) => void }) {
  const [name, setName] = useState("");
  const [text, setText] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add(new File([text], name.trim(), { type: "text/markdown" }));
    setName("");
    setText("");
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <Field label="Name">
        {(field) => (
          <Input
            {...field}
            value={name}
            onChange={({ target }) => setName(target.value)}
            placeholder="Prices"
            maxLength={200}
            required
          />
        )}
      </Field>
      <Field label="Text" hint="As Markdown: headings help to find the right part.">
        {(field) => (
          <Textarea
            {...field}
            rows={6}
            value={text}
            onChange={({ target }) => setText(target.value)}
            required
          />
        )}
      </Field>
      <Button
        type="submit"
        variant="primary"
        size="sm"
        className="self-end"
        disabled={!name.trim() || !text.trim()}
      >
        Add it
      </Button>
    </form>
  );
}
