/// <reference types="vite/client" />

// Of https://webaudio.github.io/web-audio-api/#dom-audiocontext-setsinkid, which TypeScript does not know yet.
interface AudioContext {
  setSinkId(deviceId: string): Promise<void>;
}
