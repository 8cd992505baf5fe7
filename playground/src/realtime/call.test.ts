import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Refusal } from "@/api/refusal";
import { plugs } from "@/test-devices";
import { Call } from "./call";
import type { AnyEvent } from "./events";
import type { Destination, LinkUser } from "./link";
import { NoMicrophone, openMicrophone } from "./microphone";
import { setup } from "./setup";
import { SocketLink } from "./socket";
import { pendingCalls } from "./transcript";
import { NoRoute, RtcLink } from "./webrtc";

vi.mock("./socket", () => ({ SocketLink: { open: vi.fn() } }));
vi.mock("./webrtc", async (original) => ({
  ...(await original<typeof import("./webrtc")>()),
  RtcLink: { open: vi.fn() },
}));
vi.mock("./sound", () => ({
  Sound: { begin: () => ({ both: { stream: null }, close() {}, hear: async () => {} }) },
}));
vi.mock("./recorder", () => ({
  Recorder: class {
    stop() {}
  },
}));
vi.mock("./microphone", async (original) => ({
  ...(await original<typeof import("./microphone")>()),
  openMicrophone: vi.fn(),
}));

/** A server's end of a WebSocket. */
class Line {
  static all: Line[] = [];
  readonly sent: AnyEvent[] = [];
  closed: string | null = null;

  constructor(
    readonly to: Destination,
    private readonly user: LinkUser,
  ) {
    Line.all.push(this);
  }

  link() {
    return {
      kind: "websocket" as const,
      send: (event: AnyEvent) => {
        this.sent.push(event);
        this.user.sent(event);
      },
      listen: async () => {},
      silence: async () => {},
      playoutMs: async () => null,
      close: () => {
        this.closed = "for good";
      },
      release: () => {
        this.closed = "released";
      },
    };
  }

  says(...events: AnyEvent[]) {
    for (const event of events) this.user.received(event);
  }

  hello(id: string) {
    this.says({ type: "session.created", session: { id, voiceforge: { resume: `token-${id}` } } });
  }

  falters(is: boolean) {
    this.user.steady(!is);
  }

  breaks() {
    this.user.lost("the network is gone");
  }

  types() {
    return this.sent.map(({ type }) => type);
  }
}

const wanted = setup.parse({ transport: "websocket" });
const opened = vi.mocked(SocketLink.open);

beforeEach(() => {
  vi.useFakeTimers();
  Line.all = [];
  vi.mocked(openMicrophone).mockReset();
  opened.mockReset().mockImplementation(async (to, _, user) => {
    return new Line(to, user).link() as unknown as SocketLink;
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

const line = (index = Line.all.length - 1): Line => {
  const found = Line.all[index];
  if (!found) throw new Error(`nobody has connected ${index + 1} times`);
  return found;
};

async function begun(): Promise<Call> {
  const call = new Call();
  void call.begin(wanted, false);
  await settle();
  line().hello("s1");
  await settle(100);
  return call;
}

const titles = (call: Call) => call.store.get().notices.map(({ title }) => title);

const said = (id: string, text: string): AnyEvent => ({
  type: "conversation.item.done",
  previous_item_id: null,
  item: {
    id,
    type: "message",
    role: "user",
    status: "completed",
    content: [{ type: "input_text", text }],
  },
});

test("nothing can be said before the session is as it was asked for", async () => {
  const call = new Call();
  void call.begin(wanted, false);
  await settle();
  expect(await call.type("Hello?")).toBe(false);
  line().hello("s1");
  await settle(100);
  expect(await call.type("Hello!")).toBe(true);
  expect(line().types()).toEqual(["session.update", "conversation.item.create", "response.create"]);
  expect(line().sent[0]?.session).toMatchObject({ instructions: wanted.instructions });
});

test("a lost line is taken up again, and the conversation is the same", async () => {
  const call = await begun();
  line().says(said("u1", "My name is Ada."));
  line().breaks();
  await settle(100);
  expect(call.store.get().phase).toBe("returning");
  await settle(200);
  expect(line(1).to).toEqual({ sessionId: "s1", resume: "token-s1" });
  line(1).hello("s1");
  line(1).says(said("u1", "My name is Ada."));
  await settle(100);
  expect(call.store.get()).toMatchObject({ phase: "live", earlier: [] });
  expect(call.store.get().transcript.order).toEqual(["u1"]);
  expect(titles(call)).toContain("Back in the conversation");
  expect(line(1).types()).not.toContain("session.update");
});

test("it tries again while there is no network", async () => {
  const call = await begun();
  opened
    .mockRejectedValueOnce(new Error("no network"))
    .mockRejectedValueOnce(new Error("no network"));
  line().breaks();
  await settle(2000);
  expect(opened).toHaveBeenCalledTimes(4);
  line().hello("s1");
  await settle(100);
  expect(call.store.get().phase).toBe("live");
});

test("a session that is gone is begun anew, and what was said before stays to be read", async () => {
  const call = await begun();
  line().says(said("u1", "My name is Ada."));
  line().breaks();
  await settle(300);
  line(1).says({
    type: "error",
    error: { code: "session_not_found", message: "no session waits" },
  });
  await settle(600);
  expect(line(2).to).toEqual({ model: wanted.model, agent: null });
  line(2).hello("s2");
  await settle(100);
  const { phase, sessionId, earlier, transcript } = call.store.get();
  expect({ phase, sessionId, order: transcript.order }).toEqual({
    phase: "live",
    sessionId: "s2",
    order: [],
  });
  expect(earlier.map(({ text }) => text)).toEqual(["My name is Ada."]);
  expect(titles(call)).toContain("A new conversation");
  expect(line(2).types()).toContain("session.update");
});

test("a server that shuts down in order is waited for", async () => {
  const call = await begun();
  line().says({ type: "voiceforge.session.ended", reason: "drained", message: "connect again" });
  await settle(300);
  expect(line(1).to).toEqual({ model: wanted.model, agent: null });
  expect(titles(call)).toEqual(["The connection was lost"]); // nothing new has begun yet
  line(1).hello("s2");
  await settle(100);
  expect(titles(call)).toEqual(["A new conversation"]);
});

test("a link whose sound cannot be used is not left open", async () => {
  opened.mockImplementationOnce(async (to, _, user) => {
    const listen = () => Promise.reject(new Error("the worklet is not there"));
    return { ...new Line(to, user).link(), listen } as unknown as SocketLink;
  });
  const call = new Call();
  void call.begin(wanted, false);
  await settle(100);
  line().hello("s1");
  await settle(100);
  expect(line(0).closed).toBe("released");
  await settle(300);
  line(1).hello("s1");
  await settle(100);
  expect(call.store.get().phase).toBe("live");
});

test("after two minutes without a server the call is over", async () => {
  const call = await begun();
  opened.mockRejectedValue(new Error("no network"));
  line().breaks();
  await settle(130_000);
  expect(call.store.get().phase).toBe("ended");
  expect(titles(call)).toContain("The conversation is lost");
});

test("a revoked key ends the call, and is not tried again", async () => {
  const call = await begun();
  line().says(
    { type: "error", error: { code: "key_revoked", message: "revoked" } },
    { type: "voiceforge.session.ended", reason: "key_revoked", message: "revoked" },
  );
  await settle(10_000);
  expect(call.store.get().phase).toBe("ended");
  expect(titles(call)).toEqual(["The key was revoked"]);
  expect(opened).toHaveBeenCalledTimes(1);
});

test("a server that is full says when to try again", async () => {
  opened.mockRejectedValueOnce(new Refusal("No room.", 503, "no_capacity", null, 7));
  const call = new Call();
  await call.begin(wanted, false);
  await settle(100);
  expect(call.store.get().phase).toBe("ended");
  expect(call.store.get().notices[0]?.text).toBe("No room. Try again in 7 s.");
});

test("without a microphone the call begins all the same", async () => {
  vi.mocked(openMicrophone).mockRejectedValueOnce(new NoMicrophone("There is no microphone."));
  const call = new Call();
  void call.begin(wanted, true);
  await settle();
  line().hello("s1");
  await settle(100);
  expect(call.store.get()).toMatchObject({ phase: "live", microphone: "off" });
  expect(call.store.get().notices[0]?.text).toBe("There is no microphone.");
});

test("where WebRTC has no way the same session goes on over a WebSocket", async () => {
  const call = await begun();
  vi.mocked(RtcLink.open).mockRejectedValue(new NoRoute("UDP is blocked"));
  void call.switchTo("webrtc");
  await settle(100);
  expect(line(0).closed).toBe("released");
  expect(line(1).to).toEqual({ sessionId: "s1", resume: "token-s1" });
  line(1).hello("s1");
  await settle(100);
  expect(call.store.get()).toMatchObject({ phase: "live", transport: "websocket" });
  expect(titles(call)).toEqual(["Over to a WebSocket", "Back in the conversation"]);
});

test("what was lost is told no more when it is back, and that it is back only for a while", async () => {
  const call = await begun();
  line().breaks();
  await settle(300);
  expect(titles(call)).toEqual(["The connection was lost"]);
  line(1).hello("s1");
  await settle(100);
  expect(titles(call)).toEqual(["Back in the conversation"]);
  await settle(10_000);
  expect(titles(call)).toEqual([]);
});

test("a line that falters is told, and is not left for that", async () => {
  const call = await begun();
  line().falters(true);
  await settle(100);
  expect(call.store.get()).toMatchObject({ phase: "live", steady: false });
  line().falters(false);
  await settle(100);
  expect(call.store.get()).toMatchObject({ phase: "live", steady: true });
  expect(opened).toHaveBeenCalledTimes(1);
});

test("a network that is there again is tried at once", async () => {
  const call = await begun();
  opened.mockRejectedValueOnce(new Error("no network")).mockRejectedValueOnce(new Error("none"));
  line().breaks();
  await settle(750);
  window.dispatchEvent(new Event("online"));
  await settle(0);
  line(1).hello("s1");
  await settle(100);
  expect(call.store.get().phase).toBe("live");
});

/** A microphone with a plug. */
class Plugged extends EventTarget {
  enabled = true;
  stop() {}
}

function microphone(): { stream: MediaStream; track: Plugged } {
  const track = new Plugged();
  const tracks = () => [track];
  return { track, stream: { getTracks: tracks, getAudioTracks: tracks } as unknown as MediaStream };
}

test("a microphone that is unplugged gives way to another", async () => {
  const call = await begun();
  const [first, second] = [microphone(), microphone()];
  vi.mocked(openMicrophone)
    .mockResolvedValueOnce(first.stream)
    .mockResolvedValueOnce(second.stream);
  await call.openMicrophone("desk");
  first.track.dispatchEvent(new Event("ended"));
  await settle(100);
  expect(vi.mocked(openMicrophone)).toHaveBeenLastCalledWith(null);
  expect(call.store.get()).toMatchObject({ phase: "live", microphone: "on" });
  expect(titles(call)).toContain("The microphone is gone");
});

test("who is muted stays muted with another microphone", async () => {
  const call = await begun();
  const [first, second] = [microphone(), microphone()];
  vi.mocked(openMicrophone)
    .mockResolvedValueOnce(first.stream)
    .mockResolvedValueOnce(second.stream);
  await call.openMicrophone("headset");
  call.mute(true);
  first.track.dispatchEvent(new Event("ended"));
  await settle(100);
  expect(second.track.enabled).toBe(false);
  expect(call.store.get().microphone).toBe("muted");
});

test("a microphone that was chosen once and is not there any more gives way to the system's own", async () => {
  const call = await begun();
  vi.mocked(openMicrophone)
    .mockRejectedValueOnce(new NoMicrophone("It is not there any more.", true))
    .mockResolvedValueOnce(microphone().stream);
  await call.openMicrophone("headset");
  await settle(100);
  expect(vi.mocked(openMicrophone)).toHaveBeenLastCalledWith(null);
  expect(call.store.get().microphone).toBe("on");
});

test("of two calls of functions that are answered at once the agent hears both, and goes on", async () => {
  const call = await begun();
  for (const id of ["c1", "c2"]) {
    const item = {
      id: `i-${id}`,
      type: "function_call",
      call_id: id,
      name: "look",
      arguments: "{}",
    };
    line().says({ type: "conversation.item.done", previous_item_id: null, item });
  }
  call.answer("c1", "one");
  call.answer("c2", "two");
  expect(line().types().slice(-3)).toEqual([
    "conversation.item.create",
    "conversation.item.create",
    "response.create",
  ]);
});

test("nothing of a call is left for the next to sign in", async () => {
  const call = await begun();
  line().says({
    type: "conversation.item.input_audio_transcription.completed",
    item_id: "u1",
    transcript: "Hush.",
  });
  call.forgetAll();
  expect(line().closed).toBe("for good");
  const { phase, transcript, log, sessionId } = call.store.get();
  expect([phase, transcript.order, log.length, sessionId]).toEqual(["idle", [], 0, null]);
  expect(await call.recording()).toBeNull();
});

test("where there is no other, the next that is plugged in is heard", async () => {
  const call = await begun();
  const devices = plugs();
  const [first, second] = [microphone(), microphone()];
  vi.mocked(openMicrophone).mockResolvedValueOnce(first.stream);
  await call.openMicrophone("desk");
  vi.mocked(openMicrophone).mockRejectedValueOnce(new NoMicrophone("There is no microphone."));
  devices.are();
  first.track.dispatchEvent(new Event("ended"));
  await settle(100);
  expect(call.store.get().microphone).toBe("off");
  expect(titles(call)).toEqual(["The microphone is gone", "No microphone"]);
  vi.mocked(openMicrophone).mockResolvedValueOnce(second.stream);
  devices.are({ kind: "audioinput", deviceId: "headset" });
  await settle(100);
  expect(call.store.get().microphone).toBe("on");
});

test("with push-to-talk nothing is heard until the button is held, and the turn ends with it", async () => {
  const call = await begun();
  const { stream, track } = microphone();
  vi.mocked(openMicrophone).mockResolvedValueOnce(stream);
  await call.openMicrophone(null);
  expect(track.enabled).toBe(true);
  call.configure({ ...wanted, turns: "push" });
  line().says({ type: "session.updated", session: { audio: { input: { turn_detection: null } } } });
  expect(track.enabled).toBe(false);
  await call.press();
  expect(track.enabled).toBe(true);
  expect(line().types().at(-1)).toBe("input_audio_buffer.clear");
  await settle(1000);
  void call.release();
  await settle(300);
  expect(track.enabled).toBe(false);
  expect(line().types().slice(-2)).toEqual(["input_audio_buffer.commit", "response.create"]);
});

async function pushing() {
  const call = await begun();
  const { stream, track } = microphone();
  vi.mocked(openMicrophone).mockResolvedValueOnce(stream);
  await call.openMicrophone(null);
  call.configure({ ...wanted, turns: "push" });
  line().says({ type: "session.updated", session: { audio: { input: { turn_detection: null } } } });
  return { call, track };
}

test("a button that is only tapped asks for no answer", async () => {
  const { call } = await pushing();
  await call.press();
  await settle(100);
  void call.release();
  await settle(300);
  expect(line().types()).not.toContain("response.create");
  expect(titles(call)).toContain("Nothing was said");
});

test("a button that is pressed again at once goes on with what was being said", async () => {
  const { call, track } = await pushing();
  await call.press();
  await settle(1000);
  void call.release();
  await settle(100);
  await call.press();
  await settle(1000);
  expect(track.enabled).toBe(true);
  expect(
    line()
      .types()
      .filter((type) => type === "input_audio_buffer.clear"),
  ).toHaveLength(1);
  expect(line().types()).not.toContain("response.create");
  void call.release();
  await settle(300);
  expect(line().types().slice(-2)).toEqual(["input_audio_buffer.commit", "response.create"]);
});

test("an agent that keeps the turns to itself is heard without a button, and that is said", async () => {
  const call = new Call();
  vi.mocked(openMicrophone).mockResolvedValueOnce(microphone().stream);
  void call.begin({ ...wanted, agent: "agent_1", turns: "push" }, true);
  await settle();
  expect(call.store.get().manual).toBe(true);
  line().hello("s1");
  const input = { turn_detection: { type: "semantic_vad" } };
  line().says({ type: "session.updated", session: { audio: { input } } });
  await settle(100);
  expect(call.store.get()).toMatchObject({ manual: false, microphone: "on" });
  expect(titles(call)).toEqual(["The agent listens all the time"]);
});

test("after a truncate the server is asked what stands in the history", async () => {
  await begun();
  line().says({ type: "conversation.item.truncated", item_id: "a1", audio_end_ms: 300 });
  expect(line().sent.at(-1)).toMatchObject({ type: "conversation.item.retrieve", item_id: "a1" });
});

test("the agent goes on when the last of its calls is answered", async () => {
  const call = await begun();
  for (const id of ["c1", "c2"]) {
    const item = {
      id: `f-${id}`,
      type: "function_call",
      status: "completed",
      call_id: id,
      name: "f",
      arguments: "{}",
    };
    line().says({ type: "conversation.item.done", previous_item_id: null, item });
  }
  call.answer("c1", "one");
  expect(line().types()).not.toContain("response.create");
  const item = { id: "o1", type: "function_call_output", call_id: "c1", output: "one" };
  line().says({ type: "conversation.item.done", previous_item_id: null, item });
  await settle(100);
  expect(pendingCalls(call.store.get().transcript)).toHaveLength(1);
  call.answer("c2", "two");
  expect(line().types().at(-1)).toBe("response.create");
});

test("who hangs up while it connects is not called back", async () => {
  const call = new Call();
  void call.begin(wanted, false);
  call.end();
  await settle(1000);
  expect(call.store.get().phase).toBe("ended");
  expect(Line.all.every(({ closed }) => closed === "for good")).toBe(true);
});
