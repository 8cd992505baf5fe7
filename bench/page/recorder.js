// An audio worklet: the microphone and the agent, as they sound, on one clock. Its frames are two
// times 20 ms of 16-bit samples.

const FRAME_S = 0.02;

class Recorder extends AudioWorkletProcessor {
  #samples = Math.round(sampleRate * FRAME_S);
  #sides = [0, 1].map(() => new Int16Array(this.#samples));
  #filled = 0;

  process(inputs) {
    const sounds = inputs.map(([mono]) => mono);
    const length = sounds.find(Boolean)?.length ?? 128; // a quantum (Web Audio 1.0, 1.1)
    for (let at = 0; at < length; at += 1) {
      this.#sides.forEach((side, n) => {
        side[this.#filled] = Math.max(-1, Math.min(1, sounds[n]?.[at] ?? 0)) * 32767;
      });
      this.#filled += 1;
      if (this.#filled === this.#samples) {
        this.port.postMessage(this.#sides.map((side) => side.slice()));
        this.#filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("recorder", Recorder);
