import { Refusal } from "@/api/refusal";
import { expelled, NOT_SIGNED_IN } from "@/api/web-session";
import { type AnyEvent, eventIn } from "./events";
import { type Destination, type Link, type LinkUser, queryOf } from "./link";
import { fromBase64, toBase64 } from "./pcm";
import { Pulse } from "./pulse";
import type { Sound } from "./sound";

const ENDED = 1000; // the session ends
const TO_RETURN = 4000; // any other code keeps it; this range is the application's own

const OPENING_MS = 10_000; // where nothing answers, another try comes sooner than the network's own
const ASKING_MS = 3000;

/** A session over a WebSocket: sound goes in the events, and this side plays it. */
export class SocketLink implements Link {
  readonly kind = "websocket";
  private closing = false;
  private readonly pulse: Pulse;

  private constructor(
    private readonly socket: WebSocket,
    private readonly sound: Sound,
    private readonly user: LinkUser,
  ) {
    this.pulse = new Pulse({
      ask: () => this.send({ type: "voiceforge.ping" }),
      steady: (is) => user.steady(is),
      lost: () => this.lost("Nothing came through any more"),
    });
    socket.onmessage = ({ data }: MessageEvent<string>) => this.take(data);
    socket.onclose = ({ code, reason }) => {
      this.lost(reason || `It was closed (${code})`);
    };
    sound.onAudible = (is) => user.audible(is);
  }

  /** Connect. Throws `Refusal` if nobody is signed in any more; why else it failed no browser tells. */
  static open(to: Destination, sound: Sound, user: LinkUser): Promise<SocketLink> {
    const address = new URL(`/v1/realtime?${queryOf(to)}`, window.location.href);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address, ["realtime"]);
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => socket.close(), OPENING_MS);
      socket.onopen = () => {
        clearTimeout(late);
        resolve(new SocketLink(socket, sound, user));
      };
      socket.onclose = () => {
        clearTimeout(late);
        void whyNot().then(reject);
      };
    });
  }

  send(event: AnyEvent): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.socket.send(JSON.stringify(event));
    this.user.sent(event);
  }

  async listen(microphone: MediaStream | null): Promise<void> {
    await this.sound.hear(microphone, (block) =>
      this.send({ type: "input_audio_buffer.append", audio: toBase64(block) }),
    );
  }

  /** As stock clients do: what was not played is cut from the history. */
  async silence(): Promise<void> {
    for (const { item, playedMs } of await this.sound.clear()) {
      this.send({
        type: "conversation.item.truncate",
        item_id: item,
        content_index: 0,
        audio_end_ms: playedMs,
      });
    }
  }

  async playoutMs(): Promise<null> {
    return null; // the player says when it is heard
  }

  close(): void {
    this.leave(ENDED);
  }

  release(): void {
    this.leave(TO_RETURN);
  }

  private leave(code: number): void {
    this.closing = true;
    this.pulse.stop();
    void this.sound.clear();
    void this.sound.hear(null);
    this.socket.close(code);
  }

  private lost(why: string): void {
    if (this.closing) return;
    this.release();
    this.user.lost(why);
  }

  private take(data: string): void {
    const event = eventIn(data);
    this.pulse.beat();
    this.user.received(event);
    // While the agent speaks, the server sends this only when it has judged it an interruption.
    if (event.type === "input_audio_buffer.speech_started") void this.silence();
    if (event.type === "response.output_audio.delta") this.play(event);
  }

  private play(event: AnyEvent): void {
    const { item_id: item, delta } = event;
    if (typeof item === "string" && typeof delta === "string") {
      void this.sound.play(item, fromBase64(delta));
    }
  }
}

async function whyNot(): Promise<Error> {
  const signal = AbortSignal.timeout(ASKING_MS);
  const status = await fetch("/v1/web/session", { signal }).then(
    (response) => response.status,
    () => 0,
  );
  if (status !== 401) return new Error("The server refused the connection, or is not there");
  expelled(NOT_SIGNED_IN);
  return new Refusal(NOT_SIGNED_IN, status);
}
