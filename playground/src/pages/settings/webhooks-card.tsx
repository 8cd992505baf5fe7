import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Send, Trash2, Webhook as WebhookIcon } from "lucide-react";
import { type FormEvent, useState } from "react";
import { said } from "@/api/refusal";
import { add, EVENTS, enable, probe, remove, type Webhook, webhooks } from "@/api/webhooks";
import { Copy } from "@/parts/copy";
import { CopyAs } from "@/parts/copy-as";
import { Failed } from "@/parts/failed";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Card, CardBody, CardHeader, CardTitle } from "@/ui/card";
import { Field, Input } from "@/ui/field";
import { Notice } from "@/ui/notice";
import { Skeleton } from "@/ui/skeleton";
import { Switch } from "@/ui/switch";
import { toast } from "@/ui/toast";

/** Servers that are told of what happens. */
export function WebhooksCard() {
  const { data, error, isPending, refetch } = useQuery(webhooks);
  return (
    <Card aria-label="Webhooks">
      <CardHeader>
        <CardTitle className="flex items-center gap-2">
          <WebhookIcon aria-hidden className="size-4 text-royal-ink" /> Webhooks
        </CardTitle>
        <CopyAs
          call={{
            method: "POST",
            path: "/v1/webhooks",
            body: { url: "https://shop.example/voice-events", events: EVENTS },
          }}
        />
      </CardHeader>
      <CardBody className="flex flex-col gap-5">
        <p className="text-soft text-sm leading-relaxed">
          Your servers are sent what happens, signed as Standard Webhooks are, until they answer.
        </p>
        <AddWebhook />
        {isPending ? <Skeleton className="h-16" /> : null}
        {error ? (
          <Failed what="No webhooks to show" error={error} again={() => void refetch()} />
        ) : null}
        <ul className="flex flex-col gap-3 empty:hidden">
          {data?.data.map((webhook) => (
            <Row key={webhook.id} webhook={webhook} />
          ))}
        </ul>
      </CardBody>
    </Card>
  );
}

function Row({ webhook }: { webhook: Webhook }) {
  const { id, url, events, enabled, trouble } = webhook;
  const change = useChange();
  return (
    <li className="flex flex-col gap-2 rounded-2xl border border-edge p-3.5">
      <div className="flex items-center justify-between gap-3">
        <span className="min-w-0 break-all font-mono text-[0.8125rem]">{url}</span>
        <Switch
          aria-label={`Tell ${url}`}
          checked={enabled}
          onCheckedChange={(on) => change.mutate(() => enable(id, on))}
        />
      </div>
      <div className="flex flex-wrap items-center gap-1.5">
        {events.map((event) => (
          <Badge key={event}>{event}</Badge>
        ))}
        <span className="ml-auto flex">
          <Button
            variant="quiet"
            size="icon-sm"
            aria-label={`Send a test to ${url}`}
            onClick={() =>
              change.mutate(async () => {
                await probe(id);
                toast("A test is on its way", url, "good");
              })
            }
          >
            <Send aria-hidden />
          </Button>
          <Button
            variant="quiet"
            size="icon-sm"
            aria-label={`Delete ${url}`}
            onClick={() => change.mutate(() => remove(id))}
          >
            <Trash2 aria-hidden />
          </Button>
        </span>
      </div>
      {trouble ? <Notice kind="warn">{trouble}</Notice> : null}
    </li>
  );
}

/** One change of any kind, after which the list is looked at again. */
function useChange() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (change: () => Promise<unknown>) => change(),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ["webhooks"] }),
    onError: (refused) => toast("Not done", said(refused), "bad"),
  });
}

function AddWebhook() {
  const [url, setUrl] = useState("");
  const [events, setEvents] = useState<readonly string[]>(EVENTS);
  const queries = useQueryClient();
  const adding = useMutation({
    mutationFn: () => add(url.trim(), events),
    gcTime: 0, // its secret is kept nowhere
    onSuccess: () => {
      setUrl("");
      void queries.invalidateQueries({ queryKey: ["webhooks"] });
    },
  });
  const flip = (event: string) =>
    setEvents(events.includes(event) ? events.filter((one) => one !== event) : [...events, event]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    adding.mutate();
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-3 rounded-2xl bg-sunken p-4">
      {adding.error ? <Failed what="Not added" error={adding.error} /> : null}
      {adding.data ? (
        <Notice
          kind="warn"
          title="Copy its signing secret now"
          action={<Copy text={adding.data.secret} />}
        >
          <code className="break-all font-mono text-xs">{adding.data.secret}</code>
        </Notice>
      ) : null}
      <Field label="Address">
        {(field) => (
          <Input
            {...field}
            type="url"
            value={url}
            onChange={({ target }) => setUrl(target.value)}
            placeholder="https://shop.example/voice-events"
            required
          />
        )}
      </Field>
      <fieldset className="flex flex-wrap gap-x-4 gap-y-1.5">
        <legend className="sr-only">Events</legend>
        {EVENTS.map((event) => (
          <label key={event} className="flex cursor-pointer items-center gap-2 text-sm">
            <input
              type="checkbox"
              checked={events.includes(event)}
              onChange={() => flip(event)}
              className="size-4 accent-royal"
            />
            {event}
          </label>
        ))}
      </fieldset>
      <Button
        type="submit"
        size="sm"
        variant="primary"
        className="self-end"
        disabled={adding.isPending || events.length === 0}
      >
        Add
      </Button>
    </form>
  );
}
