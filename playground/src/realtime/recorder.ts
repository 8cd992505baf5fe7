const TYPES = ["audio/webm;codecs=opus", "audio/mp4"];

/** A recording that is made here, in the browser, of both sides of a call. */
export class Recorder {
  private readonly recorder: MediaRecorder | null;
  private readonly pieces: Blob[] = [];

  constructor(stream: MediaStream) {
    const type =
      globalThis.MediaRecorder && TYPES.find((one) => MediaRecorder.isTypeSupported(one));
    this.recorder = type ? new MediaRecorder(stream, { mimeType: type }) : null;
    if (!this.recorder) return;
    this.recorder.ondataavailable = ({ data }) => this.pieces.push(data);
    this.recorder.start(1000);
  }

  /** The sound until now; null where the browser cannot record. */
  async sound(): Promise<Blob | null> {
    const recorder = this.recorder;
    if (!recorder) return null;
    if (recorder.state === "recording") {
      await new Promise((resolve) => {
        recorder.addEventListener("dataavailable", resolve, { once: true });
        recorder.requestData();
      });
    }
    return new Blob(this.pieces, { type: recorder.mimeType });
  }

  stop(): void {
    if (this.recorder?.state === "recording") this.recorder.stop();
  }
}
