import { FileText } from "lucide-react";
import type { Record } from "@/api/sessions";
import { Copy } from "@/parts/copy";
import { Card, CardBody, CardHeader, CardTitle } from "@/ui/card";

/** What the LLM made of it afterwards, if its agent asks for that. */
export function DigestCard({ record }: { record: Record }) {
  const { digest } = record;
  return (
    <Card aria-label="Digest">
      <CardHeader>
        <CardTitle className="flex items-center gap-2">
          <FileText aria-hidden className="size-4 text-royal-ink" /> Digest
        </CardTitle>
        {digest?.extracted ? <Copy text={JSON.stringify(digest.extracted, null, 2)} /> : null}
      </CardHeader>
      <CardBody className="flex flex-col gap-3 text-sm leading-relaxed">
        {digest ? (
          <>
            <p>{digest.summary}</p>
            {digest.extracted ? <Extracted fields={digest.extracted} /> : null}
          </>
        ) : (
          <p className="text-soft">
            {record.ended_at
              ? "None was made. An agent with “afterwards” in its config gets a summary of each session, and what is to be extracted from it."
              : "It is made after the session’s end."}
          </p>
        )}
      </CardBody>
    </Card>
  );
}

function Extracted({ fields }: { fields: { [name: string]: unknown } }) {
  return (
    <dl className="flex flex-col gap-2 rounded-2xl bg-sunken p-3.5">
      {Object.entries(fields).map(([name, value]) => (
        <div key={name} className="flex flex-col">
          <dt className="text-soft text-xs">{name}</dt>
          <dd className="break-words">
            {typeof value === "string" ? value : JSON.stringify(value)}
          </dd>
        </div>
      ))}
    </dl>
  );
}
