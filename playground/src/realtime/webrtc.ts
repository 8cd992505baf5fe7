import { z } from "zod";
import { refusalOf, unreachable } from "@/api/refusal";
import { csrfToken, expelled, NOT_SIGNED_IN } from "@/api/web-session";
import { type AnyEvent, eventIn } from "./events";
import { type Destination, type Link, type LinkUser, queryOf } from "./link";
import { Pulse } from "./pulse";
import type { Sound } from "./sound";

const CALLS = "/v1/realtime/calls";
const GATHERING_MS = 1500; // a relay that answers later than this would be a poor one
const ASKING_MS = 5000; // where nothing answers, another try comes sooner than the network's own
const OFFERING_MS = 10_000; // a busy server thinks about it
const ROUTE_MS = 4000; // checks go every 50 ms: where one in two is lost, this is still enough
const CONNECTING_MS = 10_000; // with a way to go, and packets lost on it
const LOOK_FOR_MS = 500; // the statistics are sums: the difference tells of the answer that is heard
const HANGING_UP_MS = 1000;
const FORGOTTEN_MS = 20_000; // by then the server has ended a link of which it heard nothing

const servers = z.object({
  ice_servers: z.array(
    z.object({
      urls: z.union([z.string(), z.array(z.string())]),
      username: z.string().optional(),
      credential: z.string().optional(),
    }),
  ),
});

/** The media could not be connected, though the server answered. */
export class NoRoute extends Error {
  override name = "NoRoute";
}

/** A session over WebRTC: sound goes as sound, and the server knows what was played. */
export class RtcLink implements Link {
  readonly kind = "webrtc";
  private closing = false;
  private readonly pulse: Pulse;

  private constructor(
    private readonly peer: RTCPeerConnection,
    private readonly channel: RTCDataChannel,
    private readonly sender: RTCRtpSender,
    private readonly callId: string,
    private readonly sound: Sound,
    private readonly user: LinkUser,
  ) {
    this.pulse = new Pulse({
      ask: () => this.send({ type: "voiceforge.ping" }),
      steady: (is) => user.steady(is),
      lost: () => this.lost("Nothing came through any more"),
    });
    channel.addEventListener("message", () => this.pulse.beat());
    channel.onclose = () => this.lost("It was closed");
    peer.onconnectionstatechange = () => {
      if (peer.connectionState === "failed") this.lost("It failed");
    };
  }

  /** Connect. Throws `Refusal` if the server refuses, `NoRoute` if no media gets through. */
  static async open(to: Destination, sound: Sound, user: LinkUser): Promise<RtcLink> {
    const peer = new RTCPeerConnection({ iceServers: await iceServers() });
    let callId = "";
    try {
      const channel = peer.createDataChannel("oai-events");
      // From the first message on: the server greets before anybody here could begin to listen.
      channel.onmessage = ({ data }: MessageEvent<string>) => user.received(eventIn(data));
      peer.ontrack = ({ track }) => sound.playRemote(new MediaStream([track]));
      const { sender } = peer.addTransceiver("audio", { direction: "sendrecv" });
      await peer.setLocalDescription(await peer.createOffer());
      await gathered(peer);
      const answer = await offer(to, peer.localDescription?.sdp ?? "");
      callId = answer.callId;
      await peer.setRemoteDescription({ type: "answer", sdp: answer.sdp });
      await opened(channel, peer);
      return new RtcLink(peer, channel, sender, callId, sound, user);
    } catch (error) {
      peer.close();
      if (callId && !("sessionId" in to)) void hangUp(callId);
      throw error;
    }
  }

  send(event: AnyEvent): void {
    if (this.channel.readyState !== "open") return;
    this.channel.send(JSON.stringify(event));
    this.user.sent(event);
  }

  async listen(microphone: MediaStream | null): Promise<void> {
    await this.sender.replaceTrack(microphone?.getAudioTracks()[0] ?? null);
    await this.sound.hear(microphone);
  }

  async silence(): Promise<void> {
    this.send({ type: "output_audio_buffer.clear" });
  }

  /** What the browser holds back to smooth the way, now, and half of the way there and back. */
  async playoutMs(): Promise<number | null> {
    const before = await this.held();
    await new Promise((resolve) => setTimeout(resolve, LOOK_FOR_MS));
    const after = await this.held();
    const emitted = after.samples - before.samples;
    return emitted > 0 ? ((after.delayS - before.delayS) / emitted) * 1000 + after.wayMs : null;
  }

  private async held(): Promise<{ delayS: number; samples: number; wayMs: number }> {
    const held = { delayS: 0, samples: 0, wayMs: 0 };
    for (const report of (await this.peer.getStats()).values()) {
      if (report.type === "inbound-rtp") {
        held.delayS = report.jitterBufferDelay ?? 0;
        held.samples = report.jitterBufferEmittedCount ?? 0;
      }
      if (report.type === "candidate-pair" && report.nominated) {
        held.wayMs = (report.currentRoundTripTime ?? 0) * 500;
      }
    }
    return held;
  }

  /** The server is told first: a browser's own goodbye would leave it nothing to hang up. */
  close(): void {
    this.leave();
    const close = () => this.peer.close();
    setTimeout(close, HANGING_UP_MS);
    void hangUp(this.callId).finally(close);
  }

  /** A browser that closes its connection says goodbye, which ends the session. */
  release(): void {
    this.leave();
    this.channel.onclose = () => this.peer.close();
    setTimeout(() => this.peer.close(), FORGOTTEN_MS);
  }

  private leave(): void {
    this.closing = true;
    this.pulse.stop();
    this.peer.onconnectionstatechange = null;
    this.sound.playRemote(null);
    void this.sender.replaceTrack(null);
    void this.sound.hear(null);
  }

  private lost(why: string): void {
    if (this.closing) return;
    this.release();
    this.user.lost(why);
  }
}

async function iceServers(): Promise<RTCIceServer[]> {
  const response = await asked("/v1/realtime/ice_servers", {}, ASKING_MS);
  const parsed = servers.parse(await response.json());
  return parsed.ice_servers.map(({ urls, username, credential }) => ({
    urls,
    ...(username ? { username } : {}),
    ...(credential ? { credential } : {}),
  }));
}

async function offer(to: Destination, sdp: string): Promise<{ sdp: string; callId: string }> {
  const headers = { "content-type": "application/sdp", "x-csrf-token": csrfToken() };
  const init = { method: "POST", headers, body: sdp };
  const response = await asked(`${CALLS}?${queryOf(to)}`, init, OFFERING_MS);
  const callId = response.headers.get("location")?.split("/").pop() ?? "";
  return { sdp: await response.text(), callId };
}

function hangUp(callId: string): Promise<unknown> {
  return fetch(`${CALLS}/${encodeURIComponent(callId)}/hangup`, {
    method: "POST",
    headers: { "x-csrf-token": csrfToken() },
    keepalive: true,
  }).catch(() => {}); // its session ends by itself when nobody comes back
}

async function asked(path: string, init: RequestInit, withinMs: number): Promise<Response> {
  const signal = AbortSignal.timeout(withinMs);
  const response = await fetch(path, { ...init, signal }).catch(() => {
    throw unreachable();
  });
  if (response.ok) return response;
  if (response.status === 401) expelled(NOT_SIGNED_IN);
  throw refusalOf(response, await response.json().catch(() => null));
}

function gathered(peer: RTCPeerConnection): Promise<void> {
  return new Promise((resolve) => {
    if (peer.iceGatheringState === "complete") resolve();
    peer.onicegatheringstatechange = () => {
      if (peer.iceGatheringState === "complete") resolve();
    };
    setTimeout(resolve, GATHERING_MS);
  });
}

function opened(channel: RTCDataChannel, peer: RTCPeerConnection): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = () => {
      reject(new NoRoute("No sound gets through by WebRTC: UDP to the server may be blocked"));
    };
    channel.onopen = () => resolve();
    peer.onconnectionstatechange = () => {
      if (peer.connectionState === "failed") fail();
    };
    setTimeout(() => {
      if (!["connected", "completed"].includes(peer.iceConnectionState)) fail();
    }, ROUTE_MS);
    setTimeout(fail, CONNECTING_MS);
  });
}
