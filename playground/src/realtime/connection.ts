import { Refusal, said } from "@/api/refusal";
import type { CallNotice } from "./call-state";
import type { AnyEvent } from "./events";
import type { Destination, Link, LinkUser, Transport } from "./link";
import { SocketLink } from "./socket";
import type { Sound } from "./sound";
import { NoRoute, RtcLink } from "./webrtc";

const RETURN_AFTER_MS = [200, 500, 1000, 2000, 3000, 5000] as const; // then every 5 s
const RETURN_WITHIN_MS = 120_000; // it keeps a session for one minute, and takes some of one to start

export const LOST = "The connection was lost";

/** Who talks over a connection, and what it is told. */
export interface ConnectionUser {
  received(event: AnyEvent): void;
  sent(event: AnyEvent): void;
  audible(is: boolean): void;
  /** Nothing comes through for a moment, or it does again. */
  steady(is: boolean): void;
  live(transport: Transport): void;
  /** There is no link, and another is looked for. */
  returning(): void;
  /** The session is gone for good, and a new one has begun in its place. */
  forgotten(): void;
  /** There is no way, and none is looked for any more. */
  over(): void;
  notice(kind: CallNotice["kind"], title: string, text: string): void;
  /** What the agent is to hear. */
  readonly microphone: MediaStream | null;
}

interface Kept {
  sessionId: string;
  resume: string;
}

/** The way to one conversation: over either transport, lost, and taken up again. */
export class Connection {
  private link: Link | null = null;
  private kept: Kept | null = null;
  private hello: { resolve: () => void; reject: (error: Error) => void } | null = null;
  private attempt = 0; // what was begun for an earlier one has to stop
  private forgot = false; // the session is gone, and no new one has begun yet
  private ended = false;

  /** `fresh` is where a new session begins. */
  constructor(
    private transport: Transport,
    private readonly fresh: Destination,
    private readonly sound: Sound,
    private readonly user: ConnectionUser,
  ) {}

  begin(): Promise<void> {
    return this.connect();
  }

  /** Hang up: the session ends, and nobody is told any more. */
  end(): void {
    const { link, hello } = this;
    this.ended = true;
    this.part();
    this.hello = null;
    link?.close();
    hello?.reject(new Error("the call was ended"));
  }

  send(event: AnyEvent): void {
    this.link?.send(event);
  }

  async listen(microphone: MediaStream | null): Promise<void> {
    await this.link?.listen(microphone);
  }

  async silence(): Promise<void> {
    await this.link?.silence();
  }

  async playoutMs(): Promise<number | null> {
    return (await this.link?.playoutMs()) ?? null;
  }

  /** Go on with the same session over the other transport. */
  async switchTo(transport: Transport): Promise<void> {
    if (!this.kept || !this.link || transport === this.transport) return;
    this.part()?.release();
    this.transport = transport;
    this.user.returning();
    await this.connect();
  }

  /** The server shuts down in order, and will be there again: with a new session. */
  restart(): void {
    this.part()?.release();
    this.forget();
    this.user.returning();
    this.user.notice("warn", LOST, "The server is restarting. Coming back as soon as it is there…");
    void this.comeBack();
  }

  /** The server has said hello. Returns whether it is the session that was left. */
  welcomed(sessionId: string | null, resume: string | null): boolean {
    const back = this.kept !== null && this.kept.sessionId === sessionId;
    if (sessionId && resume) this.kept = { sessionId, resume };
    if (this.forgot) this.user.forgotten();
    this.forgot = false;
    this.hello?.resolve();
    this.hello = null;
    return back;
  }

  /** The server has complained. Returns whether that was its answer to our coming. */
  refused(refusal: Refusal): boolean {
    const { hello } = this;
    if (!hello) return false;
    this.link?.release();
    this.link = null;
    this.hello = null;
    hello.reject(refusal);
    return true;
  }

  /** Whoever is on the way has to stop. Returns the link, which is no longer ours. */
  private part(): Link | null {
    const { link } = this;
    this.attempt += 1;
    this.link = null;
    return link;
  }

  private async connect(): Promise<void> {
    const { attempt } = this;
    try {
      await this.reach();
    } catch (error) {
      if (attempt !== this.attempt) return;
      if (isGone(error)) this.forget();
      else if (!this.kept || isForGood(error)) return this.giveUp("No connection", advice(error));
      await this.comeBack();
    }
  }

  /** Open a link; where WebRTC has no way, a WebSocket from now on. */
  private async reach(): Promise<void> {
    const { attempt } = this;
    try {
      await this.open();
    } catch (error) {
      if (!(error instanceof NoRoute) || attempt !== this.attempt) throw error;
      const text = `${said(error)}. The call goes on without it.`;
      this.user.notice("warn", "Over to a WebSocket", text);
      this.transport = "websocket";
      await this.open();
    }
  }

  /** Open a link, and have it carry the call once the server has said hello. Throws what it throws. */
  private async open(): Promise<void> {
    const { attempt, transport } = this;
    const early: AnyEvent[] = [];
    const open = transport === "webrtc" ? RtcLink.open : SocketLink.open;
    const link = await open(this.kept ?? this.fresh, this.sound, this.linkUser(attempt, early));
    if (attempt !== this.attempt) {
      if (this.ended) link.close();
      else link.release();
      return;
    }
    this.link = link;
    const hello = new Promise<void>((resolve, reject) => {
      this.hello = { resolve, reject };
    });
    for (const event of early.splice(0)) this.user.received(event);
    await hello;
    try {
      await link.listen(this.user.microphone);
    } catch (error) {
      if (this.link === link) this.link = null;
      link.release();
      throw error;
    }
    if (attempt === this.attempt) this.user.live(transport);
  }

  /** What a link tells; what it tells before it is ours waits for it. */
  private linkUser(attempt: number, early: AnyEvent[]): LinkUser {
    const mine = () => attempt === this.attempt;
    return {
      received: (event) => {
        if (!mine()) return;
        if (this.link === null) early.push(event);
        else this.user.received(event);
      },
      sent: (event) => mine() && this.user.sent(event),
      audible: (is) => mine() && this.user.audible(is),
      steady: (is) => mine() && this.user.steady(is),
      lost: (why) => mine() && this.lost(why),
    };
  }

  private lost(why: string): void {
    const { hello } = this;
    this.link = null;
    if (hello) {
      this.hello = null;
      hello.reject(new Error(why));
      return;
    }
    this.part();
    this.user.returning();
    this.user.notice("warn", LOST, `${why}. Coming back to the conversation…`);
    void this.comeBack();
  }

  /** Back to the session that waits, or, if it is gone, into a new one. */
  private async comeBack(): Promise<void> {
    const { attempt } = this;
    const since = Date.now();
    for (let tries = 0; Date.now() - since < RETURN_WITHIN_MS; tries += 1) {
      await pause(RETURN_AFTER_MS[Math.min(tries, RETURN_AFTER_MS.length - 1)] ?? 0);
      if (attempt !== this.attempt) return;
      try {
        return await this.reach();
      } catch (error) {
        if (attempt !== this.attempt) return;
        if (isGone(error)) this.forget();
        else if (isForGood(error)) return this.giveUp("No connection", advice(error));
      }
    }
    this.giveUp("The conversation is lost", "The server did not answer for two minutes.");
  }

  private giveUp(title: string, text: string): void {
    this.user.notice("bad", title, text);
    this.user.over();
  }

  private forget(): void {
    this.kept = null;
    this.forgot = true;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Refusal && error.code === "session_not_found";
}

const BUSY = [408, 425, 429];

/** Whether the same would be refused again. */
function isForGood(error: unknown): boolean {
  if (!(error instanceof Refusal) || BUSY.includes(error.status)) return false;
  return error.status >= 400 && error.status < 500;
}

function advice(error: unknown): string {
  if (!(error instanceof Refusal)) return `${said(error)}.`;
  if (error.retryAfterS !== null) return `${error.message} Try again in ${error.retryAfterS} s.`;
  return error.message;
}

/** For so long, or until the browser says that there is a network again. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      window.removeEventListener("online", done);
      resolve();
    }
    window.addEventListener("online", done);
  });
}
