import { Refusal, said } from "@/api/refusal";
import type { Store } from "@/store";
import { type CallState, isOpen, isUnderWay } from "./call-state";
import { Connection, type ConnectionUser, LOST } from "./connection";
import { canChooseLoudspeaker, Ear } from "./ear";
import { type AnyEvent, type ServerEvent, understood } from "./events";
import { Journal } from "./journal";
import type { Transport } from "./link";
import { Mouth, type MouthUser } from "./mouth";
import { Playouts } from "./playouts";
import { Recorder } from "./recorder";
import { type Setup, sessionOf } from "./setup";
import { Sound } from "./sound";
import type { Measured } from "./timing";
import { left, nothingSaid, pendingCalls, playing, told } from "./transcript";

const SPOKEN_ON_MS = 250; // a word's end is still on its way when the button is let go
const SHORTEST_HOLD_MS = 300; // less is a button that was tried, and no word

/** Errors that only say that what was asked for had happened anyway. */
const HARMLESS = ["response_cancel_not_active", "conversation_already_has_active_response"];

const FATAL = ["key_revoked", "session_expired", "insufficient_quota"];

const TURNS = "session.audio.input.turn_detection";

const RESTARTING = "drained"; // a session's end, as the server calls it

/** One conversation: its connection, its sound, and what is known of it. It outlives the page that shows it. */
export class Call {
  sound: Sound | null = null;
  private readonly journal = new Journal();
  private readonly mouth = new Mouth(this.asMouthUser());
  private setup: Setup | null = null;
  private unsent = false; // it was changed while there was nobody to tell
  private connection: Connection | null = null;
  private recorder: Recorder | null = null;
  private ear: Ear | null = null;
  private playouts = new Playouts();
  private readonly answered = new Set<string>(); // function calls; the server's echo takes a moment
  private count = 0;
  private held = false; // the button of push-to-talk, also while the browser still asks
  private pressedAt = 0;
  private letGo = 0; // how often; the last time counts
  private ending = false; // it was let go a moment ago

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
    this.playouts = new Playouts();
    const manual = setup.turns === "push";
    this.journal.begin({ phase: "connecting", beganAt: Date.now(), manual });
    try {
      await this.connect(setup, microphone);
    } catch (error) {
      this.journal.notice("bad", "No call", `${said(error)}.`);
      this.end();
    }
  }

  private async connect(setup: Setup, microphone: boolean): Promise<void> {
    const sound = Sound.begin();
    this.sound = sound;
    this.recorder = new Recorder(sound.both.stream);
    if (canChooseLoudspeaker()) {
      this.ear = new Ear(sound, (title, text) => this.journal.notice("warn", title, text));
      void this.ear.choose(setup.loudspeaker);
    }
    this.mouth.deviceId = setup.microphone;
    const { transport, model, agent } = setup;
    const connection = new Connection(transport, { model, agent }, sound, this.asConnectionUser());
    this.connection = connection;
    if (microphone) await this.mouth.open();
    if (connection === this.connection) await connection.begin();
  }

  /** Hang up, and leave nothing of it to be seen here. */
  forgetAll(): void {
    this.end();
    this.recorder = null;
    this.setup = null;
    this.journal.begin({});
  }

  /** Hang up. */
  end(): void {
    this.held = this.ending = false;
    this.letGo += 1;
    this.connection?.end();
    this.connection = null;
    this.recorder?.stop();
    this.mouth.close();
    this.ear?.close();
    this.ear = null;
    this.sound?.close();
    this.sound = null;
    if (!isUnderWay(this.state)) return;
    this.journal.change({
      phase: "ended",
      steady: true,
      endedAt: Date.now(),
      microphone: "off",
      pressed: false,
      transcript: left(this.state.transcript),
    });
  }

  private asConnectionUser(): ConnectionUser {
    const call = this;
    const { journal } = this;
    return {
      received: (event) => call.take(event),
      sent: (event) => journal.note("sent", event),
      audible: (is) => call.heard(is),
      steady: (is) => journal.change({ steady: is }),
      live: (transport) => journal.change({ phase: "live", steady: true, transport }),
      returning: () => {
        journal.change({
          phase: "returning",
          steady: true,
          transcript: left(call.state.transcript),
        });
      },
      forgotten: () => call.forget(),
      over: () => call.end(),
      notice: (kind, title, text) => journal.notice(kind, title, text),
      get microphone() {
        return call.mouth.stream;
      },
    };
  }

  /** The session that was left is gone: what was said in it stays to be read. */
  private forget(): void {
    const { transcript, earlier } = this.state;
    const before = transcript.order.flatMap((id) => transcript.entries[id] ?? []);
    this.journal.change({
      transcript: nothingSaid,
      earlier: [...earlier, ...before],
      sessionId: null,
    });
    this.journal.settle(LOST);
    this.journal.notice(
      "warn",
      "A new conversation",
      "The old one is gone: the server was restarted, or left alone too long. The agent remembers nothing of what stands above.",
    );
  }

  /** Go on with the same session over the other transport. */
  async switchTo(transport: Transport): Promise<void> {
    await this.connection?.switchTo(transport);
  }

  // ---- microphone and loudspeaker ------------------------------------------------------------------------

  /** Let the agent hear this microphone; null: the system's own. */
  openMicrophone(deviceId: string | null): Promise<void> {
    this.mouth.deviceId = deviceId;
    return this.mouth.open();
  }

  /** Hear the agent from this loudspeaker; null: from the system's own. */
  async hearFrom(deviceId: string | null): Promise<void> {
    await this.ear?.choose(deviceId);
  }

  mute(muted: boolean): void {
    this.mouth.mute(muted);
  }

  /** Push-to-talk: the caller takes the floor. */
  async press(): Promise<void> {
    if (this.held || !isOpen(this.state)) return;
    this.held = true;
    if (this.ending) {
      this.journal.change({ pressed: true });
      return; // it goes on
    }
    if (!this.mouth.stream) await this.mouth.open();
    if (!this.held || !this.mouth.stream) return; // let go while the browser asked
    this.mouth.mute(false);
    this.pressedAt = performance.now();
    this.journal.change({ pressed: true });
    await this.interrupt();
    this.send({ type: "input_audio_buffer.clear" });
  }

  /** Push-to-talk: the caller has finished. */
  async release(): Promise<void> {
    this.held = false;
    if (!this.state.pressed) return;
    this.journal.change({ pressed: false });
    const heldMs = performance.now() - this.pressedAt;
    this.letGo += 1;
    const time = this.letGo;
    this.ending = true;
    await pause(SPOKEN_ON_MS);
    if (time !== this.letGo) return;
    this.ending = false;
    if (this.held) return;
    this.mouth.mute(true);
    if (heldMs < SHORTEST_HOLD_MS) {
      this.send({ type: "input_audio_buffer.clear" });
      this.journal.notice("info", "Nothing was said", "Hold the button for as long as you speak.");
      return;
    }
    this.send({ type: "input_audio_buffer.commit" });
    this.send({ type: "response.create" });
  }

  private asMouthUser(): MouthUser {
    const call = this;
    return {
      microphoneIs: (microphone) => {
        call.journal.change({ microphone });
        void call.ear?.look(); // with a microphone the browser tells which loudspeakers there are
      },
      speaksInto: async (stream) => call.connection?.listen(stream),
      warn: (title, text) => call.journal.notice("warn", title, text),
      get waits() {
        return call.state.manual && !call.state.pressed;
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
    this.answered.add(callId);
    const others = pendingCalls(this.state.transcript).filter(
      ({ call }) => call && !this.answered.has(call.id),
    );
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
    if (response !== null || floor === "agent") await this.connection?.silence();
  }

  /** Use this setup from now on, also in the call that is under way. */
  configure(setup: Setup): void {
    this.setup = setup;
    this.unsent = this.state.phase === "returning";
    this.send({ type: "session.update", session: sessionOf(setup) });
  }

  send(event: AnyEvent): void {
    this.count += 1;
    this.connection?.send({ event_id: `app_${this.count}`, ...event });
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
        break;
      case "session.updated":
        this.refused(event.session.voiceforge?.not_allowed ?? []);
        this.takeTurns(event.session.audio?.input?.turn_detection === null);
        break;
      case "conversation.item.truncated":
        this.send({ type: "conversation.item.retrieve", item_id: event.item_id });
        break;
      case "response.output_audio.delta":
        this.playouts.arrived(event.response_id);
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
    const back = this.connection?.welcomed(id, resume);
    this.journal.change({ sessionId: id });
    if (back) {
      this.journal.settle(LOST);
      this.journal.notice("good", "Back in the conversation", "Nothing that was said is lost.");
    }
    if (this.setup && (!back || this.unsent)) {
      this.unsent = false;
      this.send({ type: "session.update", session: sessionOf(this.setup) });
    }
  }

  private refused(paths: readonly string[]): void {
    const told = this.setup?.turns === "push" ? [TURNS] : []; // by `takeTurns`, in other words
    const others = paths.filter((path) => !told.includes(path));
    if (others.length === 0) return;
    const text = `Its overrides do not allow ${others.join(", ")}: these stay as the agent has them.`;
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
    if (this.connection?.refused(new Refusal(message, 400, code))) return;
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
      this.connection?.restart();
      return;
    }
    const told = this.state.notices.some(({ kind }) => kind === "bad");
    if (!told) this.journal.notice("info", "The call has ended", message || reason);
    this.end();
  }

  private heard(is: boolean): void {
    this.journal.change({ transcript: playing(this.state.transcript, is) });
    const responseId = is ? this.playouts.heard() : null;
    if (responseId) this.showPlayout(responseId);
  }

  private async measured(event: {
    response_id: string;
    stages: Record<string, number>;
    prepared: boolean;
  }) {
    const { response_id: responseId, stages, prepared } = event;
    const one: Measured = { responseId, stages, prepared };
    this.journal.change({ measured: [...this.state.measured, one] });
    const { playouts } = this;
    if (playouts.of(responseId) === undefined) {
      const ms = await this.connection?.playoutMs();
      if (ms !== undefined && ms !== null) playouts.settle(responseId, ms);
    }
    if (playouts === this.playouts) this.showPlayout(responseId);
  }

  private showPlayout(responseId: string): void {
    const playoutMs = this.playouts.of(responseId);
    if (playoutMs === undefined) return;
    this.journal.change({
      measured: this.state.measured.map((one) =>
        one.responseId === responseId ? { ...one, playoutMs } : one,
      ),
    });
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
