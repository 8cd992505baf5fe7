import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ArrowLeft, Trash2 } from "lucide-react";
import { Link, useLocation } from "wouter";
import { type Collection, collection, remove } from "@/api/knowledge";
import { Confirm } from "@/parts/confirm";
import { CopyAs } from "@/parts/copy-as";
import { Failed } from "@/parts/failed";
import { nameOf } from "@/parts/languages";
import { Page } from "@/parts/page";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Skeleton } from "@/ui/skeleton";
import { toast } from "@/ui/toast";
import { AddDocuments } from "./add-documents";
import { DocumentList } from "./document-list";
import { SearchCard } from "./search-card";

/** What is in a collection, and what is found in it. */
export function OneCollection({ id }: { id: string }) {
  const { data, error, isPending, refetch } = useQuery(collection(id));
  const path = `/v1/knowledge/${encodeURIComponent(id)}`;
  return (
    <Page
      title={data?.name ?? "Collection"}
      back={<Back />}
      about={
        <span className="flex flex-wrap items-center gap-2">
          <span className="break-all font-mono text-xs">{id}</span>
          {data ? <Badge>{nameOf(data.language)}</Badge> : null}
        </span>
      }
      actions={
        data ? (
          <>
            <Delete collection={data} />
            <CopyAs
              call={{
                method: "POST",
                path: `${path}/documents`,
                form: { file: "@handbook.pdf" },
              }}
            />
          </>
        ) : null
      }
    >
      {isPending ? <Skeleton className="h-96 rounded-card" /> : null}
      {error ? (
        <Failed what="The collection cannot be shown" error={error} again={() => void refetch()} />
      ) : null}
      {data ? (
        <div className="grid items-start gap-5 lg:grid-cols-2">
          <div className="flex min-w-0 flex-col gap-5">
            <AddDocuments id={id} />
            <DocumentList id={id} />
          </div>
          <SearchCard id={id} />
        </div>
      ) : null}
    </Page>
  );
}

function Delete({ collection }: { collection: Collection }) {
  const [, go] = useLocation();
  const queries = useQueryClient();
  return (
    <Confirm
      title={`Delete ${collection.name}?`}
      about="With all its documents, for good. Agents that name it find nothing in it from then on."
      act="Delete"
      run={() => remove(collection.id)}
      done={() => {
        queries.removeQueries({ queryKey: ["knowledge", collection.id] });
        void queries.invalidateQueries({ queryKey: ["knowledge"], exact: true });
        toast(`${collection.name} is gone`, undefined, "good");
        go("/");
      }}
      failed="Not deleted"
    >
      <Button size="sm" variant="danger">
        <Trash2 aria-hidden /> Delete
      </Button>
    </Confirm>
  );
}

function Back() {
  return (
    <Link
      href="/"
      className="flex items-center gap-1.5 self-start text-royal-ink text-sm hover:underline"
    >
      <ArrowLeft aria-hidden className="size-4" /> Knowledge
    </Link>
  );
}
