import type { AnyEvent } from "./events";

/** A way to a session: a WebSocket, or WebRTC. Events go over both alike; sound does not. */
export interface Link {
  readonly kind: Transport;
  send(event: AnyEvent): void;
  /** Let the agent hear this microphone, or nothing. */
  listen(microphone: MediaStream | null): Promise<void>;
  /** Play no more of what the agent is saying, and have the server know how much was heard. */
  silence(): Promise<void>;
  /** How long the agent's sound takes from here to the loudspeaker, in ms, if that is known. */
  playoutMs(): Promise<number | null>;
  /** End the session. */
  close(): void;
  /** This link is heard no more. Its session waits for another. */
  release(): void;
}

export type Transport = "webrtc" | "websocket";

/** Who uses a link. */
export interface LinkUser {
  received(event: AnyEvent): void;
  sent(event: AnyEvent): void;
  /** The agent is heard, or no longer. A link that leaves this to the server's events says nothing. */
  audible(is: boolean): void;
  /** Nothing comes through for a moment, or it does again. */
  steady(is: boolean): void;
  /** The link is gone, and not because it was asked to go. */
  lost(why: string): void;
}

/** Where to: a new session with this model (and agent), or one that waits for its client. */
export type Destination =
  | { model: string; agent: string | null }
  | { sessionId: string; resume: string };

/** A destination as the query of either transport. */
export function queryOf(to: Destination): URLSearchParams {
  if ("sessionId" in to) {
    return new URLSearchParams({ session_id: to.sessionId, resume: to.resume });
  }
  const query = new URLSearchParams({ model: to.model });
  if (to.agent) query.set("agent", to.agent);
  return query;
}
