/** How long each answer took from its arrival here to the loudspeaker, where this side plays it. */
export class Playouts {
  private readonly came = new Map<string, number>();
  private readonly known = new Map<string, number>();

  /** Sound of this answer came. */
  arrived(responseId: string): void {
    if (!this.came.has(responseId)) this.came.set(responseId, performance.now());
  }

  /** The answer that came last begins to be heard. Returns it; null if none came. */
  heard(): string | null {
    const last = [...this.came].at(-1);
    if (!last) return null;
    const [responseId, at] = last;
    this.settle(responseId, performance.now() - at);
    return responseId;
  }

  /** Of an answer the first time counts: later it is heard on from a pause. */
  settle(responseId: string, ms: number): void {
    if (!this.known.has(responseId)) this.known.set(responseId, ms);
  }

  /** In ms, if it is known. */
  of(responseId: string): number | undefined {
    return this.known.get(responseId);
  }
}
