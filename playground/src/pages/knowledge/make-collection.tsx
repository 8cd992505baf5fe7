import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { type FormEvent, useId, useState } from "react";
import { useLocation } from "wouter";
import { make } from "@/api/knowledge";
import { Failed } from "@/parts/failed";
import { nameOf } from "@/parts/languages";
import { Button } from "@/ui/button";
import { Dialog, DialogContent, DialogTrigger } from "@/ui/dialog";
import { Field, Input } from "@/ui/field";

/** Of many languages, to choose from; any tag may be written. */
const COMMON = "ar cs da de el en es fi fr he hi hu it ja ko nl no pl pt ro ru sv tr uk zh".split(
  " ",
);

export function MakeCollection() {
  return (
    <Dialog>
      <DialogTrigger asChild>
        <Button variant="primary">
          <Plus aria-hidden /> New collection
        </Button>
      </DialogTrigger>
      <DialogContent
        title="A new collection"
        about="Documents that belong together: an agent looks up whole collections."
      >
        <Form />
      </DialogContent>
    </Dialog>
  );
}

function Form() {
  const [name, setName] = useState("");
  const [language, setLanguage] = useState("en");
  const [, go] = useLocation();
  const queries = useQueryClient();
  const list = useId();
  const making = useMutation({
    mutationFn: () => make(name.trim(), language.trim()),
    onSuccess: ({ id }) => {
      void queries.invalidateQueries({ queryKey: ["knowledge"] });
      go(`/${encodeURIComponent(id)}`);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    making.mutate();
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-5">
      {making.error ? <Failed what="Not made" error={making.error} /> : null}
      <Field label="Name">
        {(field) => (
          <Input
            {...field}
            value={name}
            onChange={({ target }) => setName(target.value)}
            placeholder="Opening hours and prices"
            maxLength={200}
            required
          />
        )}
      </Field>
      <Field
        label="Language"
        hint={`What its documents are written in, as a tag: ${nameOf(language) || "en is English"}. Words are found in their other forms by it.`}
      >
        {(field) => (
          <Input
            {...field}
            value={language}
            onChange={({ target }) => setLanguage(target.value)}
            pattern="[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*"
            title="a tag such as en or pt-BR"
            list={list}
            required
          />
        )}
      </Field>
      <datalist id={list}>
        {COMMON.map((tag) => (
          <option key={tag} value={tag}>
            {nameOf(tag)}
          </option>
        ))}
      </datalist>
      <Button
        type="submit"
        variant="primary"
        className="self-end"
        disabled={!name.trim() || making.isPending}
      >
        Make it
      </Button>
    </form>
  );
}
