import { useQuery } from "@tanstack/react-query";
import { Library } from "lucide-react";
import { Link } from "wouter";
import { type Collection, collections } from "@/api/knowledge";
import { CopyAs } from "@/parts/copy-as";
import { Failed } from "@/parts/failed";
import { moment } from "@/parts/figures";
import { nameOf } from "@/parts/languages";
import { Page } from "@/parts/page";
import { Badge } from "@/ui/badge";
import { Card } from "@/ui/card";
import { Empty } from "@/ui/empty";
import { Skeleton } from "@/ui/skeleton";
import { MakeCollection } from "./make-collection";

/** What agents may look up. */
export function CollectionList() {
  const { data, error, isPending, refetch } = useQuery(collections);
  return (
    <Page
      title="Knowledge"
      about="Collections of documents that agents look things up in, before they answer."
      actions={
        <>
          <CopyAs call={{ method: "GET", path: "/v1/knowledge" }} />
          <MakeCollection />
        </>
      }
    >
      {error ? (
        <Failed what="No collections to show" error={error} again={() => void refetch()} />
      ) : null}
      {data?.data.length === 0 ? (
        <Card>
          <Empty icon={Library} title="Nothing to look up yet" action={<MakeCollection />}>
            Make a collection, add what your agents should know, as text, Markdown, HTML or PDF, and
            name it in an agent. What a caller asks is then answered from it.
          </Empty>
        </Card>
      ) : null}
      <ul className="grid gap-4 sm:grid-cols-2 xl:grid-cols-3">
        {isPending
          ? [0, 1, 2].map((one) => <Skeleton key={one} className="h-32 rounded-card" />)
          : null}
        {data?.data.map((collection) => (
          <li key={collection.id}>
            <CollectionCard collection={collection} />
          </li>
        ))}
      </ul>
    </Page>
  );
}

function CollectionCard({ collection }: { collection: Collection }) {
  const { id, name, language, created_at } = collection;
  return (
    <Card
      aria-label={name}
      className="relative flex h-full flex-col gap-4 p-5 transition-[transform,border-color] duration-200 ease-out hover:-translate-y-0.5 hover:border-edge-strong"
    >
      <div className="flex items-start gap-3">
        <span className="flex size-10 shrink-0 items-center justify-center rounded-2xl bg-royal-tint text-royal-ink">
          <Library aria-hidden className="size-5" strokeWidth={1.75} />
        </span>
        <h2 className="min-w-0 break-words pt-2 font-semibold leading-tight">
          <Link
            href={`/${encodeURIComponent(id)}`}
            className="after:absolute after:inset-0 after:rounded-card"
          >
            {name}
          </Link>
        </h2>
      </div>
      <div className="mt-auto flex items-center justify-between gap-2">
        <span className="text-soft text-xs">{moment(created_at)}</span>
        <Badge>{nameOf(language)}</Badge>
      </div>
    </Card>
  );
}
