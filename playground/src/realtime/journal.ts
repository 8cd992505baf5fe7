import { Store } from "@/store";
import { type CallNotice, type CallState, isUnderWay, noCall } from "./call-state";
import type { AnyEvent } from "./events";
import { type Logged, logged, presentable } from "./log";
import { underWay } from "./under-way";

const SHOW_EVERY_MS = 40;
const MOST_NOTICES = 4;
const GOOD_NEWS_MS = 10_000; // asks for nothing, and need not stay

/** What is known of a call, shown at a pace at which people look: events come faster. */
export class Journal {
  readonly store = new Store<CallState>(noCall);
  /** As it is now; the store is up to 40 ms behind. */
  state: CallState = noCall;
  private unshown: Logged[] = [];
  private showing: ReturnType<typeof setTimeout> | null = null;
  private notices = 0;

  /** A new call: nothing of the last one is left. */
  begin(state: Partial<CallState>): void {
    this.unshown = [];
    this.state = { ...noCall, ...state };
    this.show();
  }

  change(change: Partial<CallState>): void {
    this.state = { ...this.state, ...change };
    this.showSoon();
  }

  notice(kind: CallNotice["kind"], title: string, text: string): void {
    this.notices += 1;
    const kept = this.state.notices.slice(1 - MOST_NOTICES);
    const id = this.notices;
    this.change({ notices: [...kept, { id, kind, title, text }] });
    if (kind === "good") setTimeout(() => this.dismiss(id), GOOD_NEWS_MS);
  }

  /** What was told under this title is over. */
  settle(title: string): void {
    this.change({ notices: this.state.notices.filter((one) => one.title !== title) });
  }

  dismiss(id: number): void {
    this.change({ notices: this.state.notices.filter((one) => one.id !== id) });
  }

  /** An event went over the line. */
  note(direction: Logged["direction"], event: AnyEvent): void {
    const last = this.unshown.at(-1)?.number ?? this.state.log.at(-1)?.number ?? 0;
    const atMs = Date.now() - (this.state.beganAt ?? Date.now());
    const shown = presentable(event);
    this.unshown.push({ number: last + 1, atMs, direction, type: event.type, event: shown });
    this.showSoon();
  }

  private showSoon(): void {
    this.showing ??= setTimeout(() => this.show(), SHOW_EVERY_MS);
  }

  private show(): void {
    if (this.showing !== null) clearTimeout(this.showing);
    this.showing = null;
    const log = this.unshown.splice(0).reduce(logged, this.state.log);
    this.state = { ...this.state, log };
    underWay.set(isUnderWay(this.state));
    this.store.set(this.state);
  }
}
