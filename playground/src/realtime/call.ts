import { Refusal, said } from "@/api/refusal";
import type { Store } from "@/store";
import { type CallState, isOpen, isUnderWay } from "./call-state";
import { type AnyEvent, type ServerEvent, understood } from "./events";
import { Journal } from "./journal";
import type { Destination, Link, LinkUser, Transport } from "./link";
import { Mouth, type MouthUser } from "./mouth";
import { Recorder } from "./recorder";
import { type Setup, sessionOf } from "./setup";
import { SocketLink } from "./socket";
import { Sound } from "./sound";
import type { Measured } from "./timing";
import { nothingSaid, pendingCalls, playing, told } from "./transcript";
import { NoRoute, RtcLink } from "./webrtc";

const RETURN_AFTER_MS = [200, 500, 1000, 2000, 3000, 5000] as const; // then every 5 s
const RETURN_WITHIN_MS = 120_000; // it keeps a session for one minute, and takes some of one to start
const SPOKEN_ON_MS = 250; // a word's end is still on its way when the button is let go

/** Errors that only say that what was asked for had happened anyway. */
const HARMLESS = ["response_cancel_not_active", "conversation_already_has_active_response"];

const FATAL = ["key_revoked", "session_expired", "insufficient_quota"];

const RESTARTING = "drained"; // a session's end, as the server calls it

interface Kept {
  sessionId: string;
  resume: string;
}

/** One conversation: its link, its sound, and what is known of it. It outlives the page that shows it. */
export class Call {
  sound: Sound | null = null;
  private readonly journal = new Journal();
  private readonly mouth = new Mouth(this.asMouthUser());
  private setup: Setup | null = null;
  private link: Link | null = null;
  private kept: Kept | null = null;
  private recorder: Recorder | null = null;
  private count = 0;
  private held = false; // the button of push-to-talk, also while the browser still asks
  private hello: { resolve: () => void; reject: (error: Error) => void } | null = null;
  private firstSound = new Map<string, number>();
  private attempt = 0; // who was begun for an earlier one has to stop

  get store(): Store<CallState> {
    return this.journal.store;
  }

  private get state(): CallState {
    return this.journal.state;
  }

  // ---- the life of a call -----------------------------------------------------------------

  /** Begin; call it from a click. The microphone comes when it is wanted. */
  async begin(setup: Setup, microphone: boolean): Promise<void> {
    this.end();
    this.setup = setup;
    this.kept = null;
    this.firstSound.clear();
    const manual = setup.turns === "push";
    this.journal.begin({ phase: "connecting", beganAt: Date.now(), manual });
    this.sound = Sound.begin();
    this.recorder = new Recorder(this.sound.both.stream);
    this.mouth.deviceId = setup.microphone;
    const attempt = this.attempt;
    if (microphone) await this.mouth.open();
    if (attempt !== this.attempt) return;
    await this.connect(setup.transport, { model: setup.model, agent: setup.agent });
  }

  /** Hang up. */
  end(): void {
    this.attempt += 1;
    this.link?.close("for_good");
    this.over();
  }

  private over(): void {
    this.attempt += 1;
    this.hello?.reject(new Error("the call was ended"));
    this.hello = null;
    this.link = null;
    this.recorder?.stop();
    this.mouth.close();
    this.sound?.close();
    this.sound = null;
    if (!isUnderWay(this.state)) return;
    const transcript = { ...this.state.transcript, floor: "nobody" as const, response: null };
    this.journal.change({
      phase: "ended",
      endedAt: Date.now(),
      microphone: "off",
      pressed: false,
      transcript,
    });
  }

  private async connect(transport: Transport, to: Destination): Promise<void> {
    const attempt = this.attempt;
    try {
      await this.open(transport, to);
    } catch (error) {
      if (attempt !== this.attempt) return;
      if (error instanceof NoRoute) {
        this.journal.notice(
          "warn",
          "Over to a WebSocket",
          `${said(error)}. The call goes on without it.`,
        );
        await this.connect("websocket", to);
        return;
      }
      if (!isGone(error)) return this.refusedBy(error);
      this.forget();
      await this.comeBack(transport, attempt);
    }
  }

  /** Open a link, and have it carry the call once the server has said hello. Throws what it throws. */
  private async open(transport: Transport, to: Destination): Promise<void> {
    const { sound, attempt } = this;
    if (!sound) return;
    const open = transport === "webrtc" ? RtcLink.open : SocketLink.open;
    const early: AnyEvent[] = [];
    const link = await open(to, sound, this.user(attempt, early));
    if (attempt !== this.attempt) {
      link.close("for_good");
      return;
    }
    this.link = link;
    const hello = new Promise<void>((resolve, reject) => {
      this.hello = { resolve, reject };
    });
    for (const event of early.splice(0)) this.take(event);
    await hello;
    await link.listen(this.mouth.stream);
    if (attempt === this.attempt) this.journal.change({ phase: "live", transport });
  }

  /** What a link tells; what it tells before it is ours waits for it. */
  private user(attempt: number, early: AnyEvent[]): LinkUser {
    const mine = () => attempt === this.attempt;
    return {
      received: (event) => {
        if (!mine()) return;
        if (this.link === null) early.push(event);
        else this.take(event);
      },
      sent: (event) => mine() && this.journal.note("sent", event),
      audible: (is) => mine() && this.heard(is),
      lost: (why) => mine() && this.lost(why),
    };
  }

  // ---- coming back --------------------------------------------------------------------------

  private lost(why: string): void {
    this.link = null;
    if (this.hello) {
      this.hello.reject(new Error(why));
      this.hello = null;
      return;
    }
    if (!isUnderWay(this.state)) return;
    const transport = this.state.transport ?? "websocket";
    this.attempt += 1;
    this.journal.change({ phase: "returning", transcript: playing(this.state.transcript, false) });
    this.journal.notice(
      "warn",
      "The connection was lost",
      `${why}. Coming back to the conversation…`,
    );
    void this.comeBack(transport, this.attempt);
  }

  /** Back to the session that waits, or, if it is gone, into a new one. */
  private async comeBack(transport: Transport, attempt: number): Promise<void> {
    const { setup } = this;
    const since = Date.now();
    for (let tries = 0; setup && Date.now() - since < RETURN_WITHIN_MS; tries += 1) {
      await pause(RETURN_AFTER_MS[Math.min(tries, RETURN_AFTER_MS.length - 1)] ?? 0);
      if (attempt !== this.attempt) return;
      try {
        await this.open(transport, this.kept ?? { model: setup.model, agent: setup.agent });
        return;
      } catch (error) {
        if (attempt !== this.attempt) return;
        if (isGone(error)) this.forget();
        else if (isForGood(error)) return this.refusedBy(error);
      }
    }
    if (attempt !== this.attempt) return;
    this.journal.notice(
      "bad",
      "The conversation is lost",
      "The server did not answer for two minutes.",
    );
    this.over();
  }

  private refusedBy(error: unknown): void {
    this.journal.notice("bad", "No connection", advice(error));
    this.over();
  }

  /** The session that was left is gone: what was said in it stays to be read. */
  private forget(): void {
    const { transcript, earlier } = this.state;
    const before = transcript.order.flatMap((id) => transcript.entries[id] ?? []);
    this.kept = null;
    this.journal.change({
      transcript: nothingSaid,
      earlier: [...earlier, ...before],
      sessionId: null,
    });
    this.journal.notice(
      "warn",
      "A new conversation",
      "The old one is gone: the server was restarted, or left alone too long. The agent remembers nothing of what stands above.",
    );
  }

  /** Go on with the same session over the other transport. */
  async switchTo(transport: Transport): Promise<void> {
    const { kept, link } = this;
    if (!kept || !link || transport === this.state.transport) return;
    this.attempt += 1;
    link.release();
    this.link = null;
    this.journal.change({ phase: "returning", transcript: playing(this.state.transcript, false) });
    await this.connect(transport, kept);
  }

  // ---- the microphone ------------------------------------------------------------------------

  /** Let the agent hear this microphone; null: the system's own. */
  openMicrophone(deviceId: string | null): Promise<void> {
    this.mouth.deviceId = deviceId;
    return this.mouth.open();
  }

  mute(muted: boolean): void {
    this.mouth.mute(muted);
  }

  /** Push-to-talk: the caller takes the floor. */
  async press(): Promise<void> {
    if (this.held || !isOpen(this.state)) return;
    this.held = true;
    if (!this.mouth.stream) await this.mouth.open();
    if (!this.held || !this.mouth.stream) return; // let go while the browser asked
    this.mouth.mute(false);
    this.journal.change({ pressed: true });
    await this.interrupt();
    this.send({ type: "input_audio_buffer.clear" });
  }

  /** Push-to-talk: the caller has finished. */
  async release(): Promise<void> {
    this.held = false;
    if (!this.state.pressed) return;
    this.journal.change({ pressed: false });
    await pause(SPOKEN_ON_MS);
    this.mouth.mute(true);
    this.send({ type: "input_audio_buffer.commit" });
    this.send({ type: "response.create" });
  }

  private asMouthUser(): MouthUser {
    const call = this;
    return {
      microphoneIs: (microphone) => call.journal.change({ microphone }),
      speaksInto: async (stream) => call.link?.listen(stream),
      warn: (title, text) => call.journal.notice("warn", title, text),
      get manual() {
        return call.state.manual;
      },
    };
  }

  // ---- what the caller does --------------------------------------------------------------------

  /** Say something in writing. False: there is nobody to say it to. */
  async type(text: string): Promise<boolean> {
    if (!isOpen(this.state)) return false;
    await this.interrupt();
    const content = [{ type: "input_text", text }];
    this.send({
      type: "conversation.item.create",
      item: { type: "message", role: "user", content },
    });
    this.send({ type: "response.create" });
    return true;
  }

  /** Answer a function call of the agent; with the last of them it goes on. */
  answer(callId: string, output: string): void {
    const others = pendingCalls(this.state.transcript).filter(({ call }) => call?.id !== callId);
    this.send({
      type: "conversation.item.create",
      item: { type: "function_call_output", call_id: callId, output },
    });
    if (others.length === 0) this.send({ type: "response.create" });
  }

  /** Have the agent stop. */
  async interrupt(): Promise<void> {
    const { response, floor } = this.state.transcript;
    if (response !== null) this.send({ type: "response.cancel" });
    if (response !== null || floor === "agent") await this.link?.silence();
  }

  /** Use this setup from now on, also in the call that is under way. */
  configure(setup: Setup): void {
    this.setup = setup;
    this.send({ type: "session.update", session: sessionOf(setup) });
  }

  send(event: AnyEvent): void {
    this.count += 1;
    this.link?.send({ event_id: `app_${this.count}`, ...event });
  }

  /** The recording until now, made here; null if there is none. */
  async recording(): Promise<Blob | null> {
    return (await this.recorder?.sound()) ?? null;
  }

  dismiss(id: number): void {
    this.journal.dismiss(id);
  }

  // ---- what the server says --------------------------------------------------------------------

  private take(event: AnyEvent): void {
    this.journal.note("received", event);
    const known = understood(event);
    if (known === null) return;
    this.journal.change({ transcript: told(this.state.transcript, known) });
    this.act(known);
  }

  private act(event: ServerEvent): void {
    switch (event.type) {
      case "session.created":
        this.created(event.session.id ?? null, event.session.voiceforge?.resume ?? null);
        this.hello?.resolve();
        this.hello = null;
        break;
      case "session.updated":
        this.refused(event.session.voiceforge?.not_allowed ?? []);
        this.takeTurns(event.session.audio?.input?.turn_detection === null);
        break;
      case "conversation.item.truncated":
        this.send({ type: "conversation.item.retrieve", item_id: event.item_id });
        break;
      case "response.output_audio.delta":
        if (!this.firstSound.has(event.response_id)) {
          this.firstSound.set(event.response_id, performance.now());
        }
        break;
      case "voiceforge.turn.measured":
        void this.measured(event);
        break;
      case "error":
        this.failed(event.error.code ?? "", event.error.message);
        break;
      case "voiceforge.session.ended":
        this.ended(event.reason, event.message);
        break;
    }
  }

  private created(id: string | null, resume: string | null): void {
    const back = this.kept !== null && this.kept.sessionId === id;
    if (id && resume) this.kept = { sessionId: id, resume };
    this.journal.change({ sessionId: id });
    if (back)
      this.journal.notice("good", "Back in the conversation", "Nothing that was said is lost.");
    else if (this.setup) this.configure(this.setup);
  }

  private refused(paths: readonly string[]): void {
    if (paths.length === 0) return;
    const text = `Its overrides do not allow ${paths.join(", ")}: these stay as the agent has them.`;
    this.journal.notice("info", "The agent decides", text);
  }

  /** How turns end now: an agent may keep that to itself, and says so only by what is in force. */
  private takeTurns(manual: boolean): void {
    if (manual !== this.state.manual) {
      this.journal.change({ manual });
      this.mouth.mute(manual);
    }
    const wanted = this.setup?.turns === "push";
    if (!wanted || manual) return;
    this.journal.notice(
      "info",
      "The agent listens all the time",
      "It lets no client say when a turn ends.",
    );
  }

  private failed(code: string, message: string): void {
    if (HARMLESS.includes(code)) return;
    if (this.hello) {
      this.link?.close("to_return");
      this.link = null;
      this.hello.reject(new Refusal(message, 400, code));
      this.hello = null;
      return;
    }
    const revoked = "The key that you came with was revoked: sign in with another.";
    if (code === "key_revoked") this.journal.notice("bad", "The key was revoked", revoked);
    else
      this.journal.notice(
        "bad",
        FATAL.includes(code) ? "The call has ended" : "That did not work",
        message,
      );
  }

  private ended(reason: string, message: string): void {
    if (reason === RESTARTING) {
      this.restarting();
      return;
    }
    const told = this.state.notices.some(({ kind }) => kind === "bad");
    if (!told) this.journal.notice("info", "The call has ended", message || reason);
    this.link?.close("for_good");
    this.over();
  }

  /** The server shuts down in order, and will be there again: with a new session. */
  private restarting(): void {
    const { link, state } = this;
    this.attempt += 1;
    this.link = null;
    link?.close("to_return");
    this.forget();
    this.journal.change({ phase: "returning" });
    void this.comeBack(state.transport ?? "websocket", this.attempt);
  }

  private heard(is: boolean): void {
    this.journal.change({ transcript: playing(this.state.transcript, is) });
    if (!is) return;
    const last = [...this.firstSound].at(-1);
    if (!last) return;
    const [id, arrived] = last;
    this.playedOut(id, performance.now() - arrived);
  }

  private async measured(event: {
    response_id: string;
    stages: Record<string, number>;
    prepared: boolean;
  }) {
    const one: Measured = {
      responseId: event.response_id,
      stages: event.stages,
      prepared: event.prepared,
    };
    this.journal.change({ measured: [...this.state.measured, one] });
    const known = this.playouts.get(one.responseId) ?? (await this.link?.playoutMs());
    if (known !== undefined && known !== null) this.playedOut(one.responseId, known);
  }

  private playouts = new Map<string, number>();

  /** Of a response the first time: later it is heard on from a pause. */
  private playedOut(id: string, ms: number): void {
    if (!this.playouts.has(id)) this.playouts.set(id, ms);
    const playoutMs = this.playouts.get(id) ?? ms;
    this.journal.change({
      measured: this.state.measured.map((one) =>
        one.responseId === id ? { ...one, playoutMs } : one,
      ),
    });
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Refusal && error.code === "session_not_found";
}

/** Whether the same would be refused again. */
function isForGood(error: unknown): boolean {
  return error instanceof Refusal && error.status >= 400 && error.status < 500;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function advice(error: unknown): string {
  if (!(error instanceof Refusal)) return `${said(error)}.`;
  if (error.retryAfterS !== null) return `${error.message} Try again in ${error.retryAfterS} s.`;
  return error.message;
}
