/** A value that can be watched: what lives longer than a component, and is shown by several. */
export class Store<T> {
  private watchers = new Set<() => void>();

  constructor(private value: T) {}

  /** The value now. Bound, as React takes it. */
  get = (): T => this.value;

  set(value: T): void {
    if (Object.is(value, this.value)) return;
    this.value = value;
    for (const watcher of this.watchers) watcher();
  }

  /** Call `watcher` after each change, until what is returned is called. */
  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => void this.watchers.delete(watcher);
  };
}
