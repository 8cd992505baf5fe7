import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { AnyEvent } from "./events";
import type { LinkUser } from "./link";
import { SocketLink } from "./socket";
import type { Sound } from "./sound";

/** A browser's WebSocket, whose other end is here. */
class Socket {
  static readonly OPEN = 1;
  static last: Socket;
  readyState = 0;
  onopen = () => {};
  onmessage = (_: { data: string }) => {};
  onclose = (_: { code: number; reason: string }) => {};
  readonly sent: AnyEvent[] = [];
  closed: number | undefined;

  constructor() {
    Socket.last = this;
  }

  send(text: string) {
    this.sent.push(JSON.parse(text));
  }

  close(code?: number) {
    this.closed = code;
    this.onclose({ code: 1006, reason: "" });
  }

  says(event: AnyEvent) {
    this.onmessage({ data: JSON.stringify(event) });
  }

  pings() {
    return this.sent.filter(({ type }) => type === "voiceforge.ping").length;
  }
}

const user = {
  received: vi.fn(),
  sent: vi.fn(),
  audible: vi.fn(),
  steady: vi.fn(),
  lost: vi.fn(),
} satisfies LinkUser;

const sound = { clear: async () => [], hear: async () => {} } as unknown as Sound;

beforeEach(() => {
  vi.useFakeTimers();
  vi.clearAllMocks();
  vi.stubGlobal("WebSocket", Socket);
  vi.stubGlobal("fetch", async () => new Response());
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const settle = (ms: number) => vi.advanceTimersByTimeAsync(ms);

async function opened(): Promise<Socket> {
  const opening = SocketLink.open({ sessionId: "s1", resume: "token" }, sound, user);
  Socket.last.readyState = Socket.OPEN;
  Socket.last.onopen();
  await opening;
  return Socket.last;
}

test("a server that has something to say is not asked whether it is there", async () => {
  const socket = await opened();
  for (let second = 0; second < 10; second += 1) {
    socket.says({ type: "response.output_text.delta" });
    await settle(1000);
  }
  expect(socket.pings()).toBe(0);
});

test("one that is quiet is asked, and while it answers all is well", async () => {
  const socket = await opened();
  for (let asked = 1; asked <= 5; asked += 1) {
    await settle(2500);
    expect(socket.pings()).toBe(asked);
    socket.says({ type: "voiceforge.pong" });
  }
  expect(user.lost).not.toHaveBeenCalled();
  expect(user.steady).not.toHaveBeenCalledWith(false);
});

test("one that answers late made the line falter, one that does not is lost", async () => {
  const socket = await opened();
  await settle(5000);
  expect(user.steady).toHaveBeenLastCalledWith(false);
  socket.says({ type: "voiceforge.pong" });
  expect(user.steady).toHaveBeenLastCalledWith(true);
  await settle(9000);
  expect(user.lost).toHaveBeenCalledExactlyOnceWith("Nothing came through any more");
  expect(socket.closed).toBe(4000); // which keeps the session
  await settle(60_000);
  expect(socket.pings()).toBe(2);
});

test("a tab that slept is not taken for a line that broke", async () => {
  const socket = await opened();
  const now = performance.now.bind(performance);
  vi.spyOn(performance, "now").mockImplementation(() => now() + 3_600_000);
  await settle(1000);
  expect(socket.pings()).toBe(1);
  expect(user.lost).not.toHaveBeenCalled();
});

test("where nothing answers the door, another try is due soon", async () => {
  const opening = SocketLink.open({ model: "m", agent: null }, sound, user);
  const failed = expect(opening).rejects.toThrow("not there");
  await settle(10_000);
  await failed;
});
