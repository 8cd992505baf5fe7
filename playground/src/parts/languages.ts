const names = new Intl.DisplayNames(undefined, { type: "language" });

/** What a language is called; its tag, where nobody knows. */
export function nameOf(tag: string): string {
  try {
    return names.of(tag) ?? tag;
  } catch {
    return tag; // some voices' languages are no tags of BCP 47
  }
}
