/** Why there is no microphone, and what to do. */
export class NoMicrophone extends Error {
  override name = "NoMicrophone";

  /** `gone`: it is the one that was chosen which is not there. */
  constructor(
    text: string,
    readonly gone = false,
  ) {
    super(text);
  }
}

const REASONS: Record<string, string> = {
  NotAllowedError:
    "The browser may not use the microphone. Allow it in the site's settings, beside the address, then try again. You can type meanwhile.",
  NotFoundError: "There is no microphone. Plug one in, or type instead.",
  NotReadableError:
    "The microphone is there but gives no sound: another program may be holding it. Close that one, or choose another device.",
  OverconstrainedError: "The microphone that was chosen is not there any more. Choose another.",
};

/** Open one: the one with this id, or the system's own. Throws `NoMicrophone`. */
export async function openMicrophone(deviceId: string | null): Promise<MediaStream> {
  if (!navigator.mediaDevices) {
    throw new NoMicrophone(
      "Browsers give a microphone only to pages from https or from localhost. Reach the server by one of these, or type instead.",
    );
  }
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: {
        ...(deviceId ? { deviceId: { exact: deviceId } } : {}),
        echoCancellation: true,
        noiseSuppression: true,
        autoGainControl: true,
        channelCount: 1,
      },
    });
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    const why = REASONS[name] ?? `The microphone cannot be opened: ${error}`;
    throw new NoMicrophone(why, name === "OverconstrainedError");
  }
}
