import { useMutation } from "@tanstack/react-query";
import { LoaderCircle, Search, SearchX } from "lucide-react";
import { type FormEvent, useState } from "react";
import { type Found, search } from "@/api/knowledge";
import { CopyAs } from "@/parts/copy-as";
import { Failed } from "@/parts/failed";
import { milliseconds } from "@/parts/figures";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Card, CardBody, CardHeader, CardTitle } from "@/ui/card";
import { Empty } from "@/ui/empty";
import { Input } from "@/ui/field";

const MOST = 5;
const FAR = 0.2; // below, two meanings have little to do with each other

/** A question, and what an agent would be told. */
export function SearchCard({ id }: { id: string }) {
  const [question, setQuestion] = useState("");
  const searching = useMutation({
    mutationFn: async (question: string) => {
      const began = performance.now();
      const { data } = await search(id, question, MOST);
      return { found: data, tookMs: performance.now() - began };
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    searching.mutate(question.trim());
  };
  const path = `/v1/knowledge/${encodeURIComponent(id)}/search`;
  return (
    <Card aria-label="Search">
      <CardHeader>
        <CardTitle className="flex items-center gap-2">
          <Search aria-hidden className="size-4 text-royal-ink" /> Ask it
        </CardTitle>
        <CopyAs
          call={{
            method: "GET",
            path: `${path}?${new URLSearchParams({ q: question || "When do you open?", limit: String(MOST) })}`,
          }}
        />
      </CardHeader>
      <CardBody className="flex flex-col gap-4">
        <form onSubmit={submit} className="flex gap-2">
          <Input
            type="search"
            aria-label="Question"
            placeholder="When do you open on Sundays?"
            value={question}
            onChange={({ target }) => setQuestion(target.value)}
          />
          <Button
            type="submit"
            variant="primary"
            disabled={!question.trim() || searching.isPending}
          >
            {searching.isPending ? <LoaderCircle aria-hidden className="animate-spin" /> : null}
            Search
          </Button>
        </form>
        {searching.error ? <Failed what="Not searched" error={searching.error} /> : null}
        <div aria-live="polite">
          {searching.data ? <Results {...searching.data} /> : <Before />}
        </div>
      </CardBody>
    </Card>
  );
}

function Before() {
  return (
    <p className="text-soft text-sm leading-relaxed">
      Ask as a caller would: you see the passages that an agent is told, nearest in meaning and with
      the same words, best first.
    </p>
  );
}

function Results({ found, tookMs }: { found: readonly Found[]; tookMs: number }) {
  if (found.length === 0) {
    return (
      <Empty icon={SearchX} title="Nothing found">
        No passage fits, or the documents are still being read.
      </Empty>
    );
  }
  return (
    <div className="flex flex-col gap-3">
      <p className="figures text-soft text-xs">in {milliseconds(tookMs)}</p>
      <ol className="flex flex-col gap-3">
        {found.map((passage) => (
          <li
            key={`${passage.document_id}-${passage.number}`}
            className="flex flex-col gap-2 rounded-2xl bg-sunken p-4"
          >
            <div className="flex flex-wrap items-center justify-between gap-2">
              <p className="min-w-0 break-words font-medium text-sm">
                {passage.heading || passage.document}
              </p>
              <Badge tone={passage.similarity < FAR ? "plain" : "royal"} className="figures">
                {Math.round(passage.similarity * 100)} % alike · score {passage.score.toFixed(3)}
              </Badge>
            </div>
            <p className="line-clamp-6 whitespace-pre-wrap break-words text-sm leading-relaxed">
              {passage.text}
            </p>
            <p className="text-soft text-xs">
              {passage.document}, passage {passage.number + 1}
            </p>
          </li>
        ))}
      </ol>
    </div>
  );
}
