import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { FileText, LoaderCircle, Trash2 } from "lucide-react";
import { type Document, documents, isUnderWay, removeDocument } from "@/api/knowledge";
import { Bar } from "@/parts/bar";
import { Confirm } from "@/parts/confirm";
import { Failed } from "@/parts/failed";
import { bytes, counted } from "@/parts/figures";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Card, CardHeader, CardTitle } from "@/ui/card";
import { Empty } from "@/ui/empty";
import { Skeleton } from "@/ui/skeleton";
import { toast } from "@/ui/toast";

/** What is in the collection, and how far each of it is. */
export function DocumentList({ id }: { id: string }) {
  const query = useInfiniteQuery(documents(id));
  const found = query.data?.pages.flatMap(({ data }) => data) ?? [];
  return (
    <Card aria-label="Documents" className="overflow-hidden">
      <CardHeader>
        <CardTitle>Documents</CardTitle>
        {found.length ? (
          <Badge className="figures">
            {found.length}
            {query.hasNextPage ? "+" : ""}
          </Badge>
        ) : null}
      </CardHeader>
      {query.isPending ? <Skeleton className="m-5 h-24" /> : null}
      {query.error ? (
        <div className="p-5">
          <Failed
            what="No documents to show"
            error={query.error}
            again={() => void query.refetch()}
          />
        </div>
      ) : null}
      {query.isSuccess && found.length === 0 ? (
        <Empty icon={FileText} title="No documents yet">
          What you add is read, cut into passages and made findable, in seconds for a few pages.
        </Empty>
      ) : null}
      <ul className="pt-2">
        {found.map((document) => (
          <Row key={document.id} document={document} />
        ))}
      </ul>
      {query.hasNextPage ? (
        <div className="flex justify-center border-t p-3">
          <Button variant="quiet" onClick={() => void query.fetchNextPage()}>
            More
          </Button>
        </div>
      ) : null}
    </Card>
  );
}

function Row({ document }: { document: Document }) {
  const { name, size_bytes, passages, embedded, error, state } = document;
  const queries = useQueryClient();
  return (
    <li className="flex items-start gap-3 border-t px-5 py-3.5">
      <FileText aria-hidden className="mt-0.5 size-4 shrink-0 text-royal-ink" />
      <div className="flex min-w-0 flex-1 flex-col gap-1.5">
        <p className="break-words font-medium text-sm">{name}</p>
        <p className="figures flex flex-wrap items-center gap-x-3 gap-y-1 text-soft text-xs">
          <span>{bytes(size_bytes)}</span>
          {state === "ready" ? <span>{counted(passages, "passage")}</span> : null}
          <State document={document} />
        </p>
        {state === "reading" && passages ? (
          <Bar value={embedded / passages} label={`${name}: passages that can be found`} />
        ) : null}
        {error ? (
          <p className={state === "failed" ? "text-bad text-xs" : "text-warn text-xs"}>{error}</p>
        ) : null}
      </div>
      <Confirm
        title={`Delete ${name}?`}
        about="Its passages are found no more."
        act="Delete"
        run={() => removeDocument(document)}
        done={() => {
          void queries.invalidateQueries({ queryKey: documents(document.collection_id).queryKey });
          toast(`${name} is gone`, undefined, "good");
        }}
        failed="Not deleted"
      >
        <Button variant="quiet" size="icon-sm" aria-label={`Delete ${name}`}>
          <Trash2 aria-hidden />
        </Button>
      </Confirm>
    </li>
  );
}

function State({ document }: { document: Document }) {
  const { state, embedded, passages } = document;
  if (state === "ready") return <Badge tone="good">ready</Badge>;
  if (state === "failed") return <Badge tone="bad">failed</Badge>;
  const far = passages ? `, ${embedded} of ${passages}` : "";
  return (
    <Badge tone="royal">
      {isUnderWay(document) ? <LoaderCircle aria-hidden className="size-3 animate-spin" /> : null}
      {state === "waiting" ? "waits to be read" : `being read${far}`}
    </Badge>
  );
}
