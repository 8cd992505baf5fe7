// A page that calls a voice agent, and records the microphone and what the agent lets it hear.
//
// The clock is the audio's: both sides go through one worklet, at the rate that the WebSocket
// protocol has, 24 kHz. `answer(sdp)` belongs to the program that opened the page.

const RATE_HZ = 24000;
const PING_MS = 1000;

/** The turns are labelled: what a browser makes of a voice would move where they begin and end. */
const AS_IT_IS = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

/** Calls for `seconds`; gives the two recordings, the events that came, and statistics. */
async function call({ over, url, key, session, seconds }) {
  const context = new AudioContext({ sampleRate: RATE_HZ });
  await context.audioWorklet.addModule("/recorder.js");
  const recorder = new AudioWorkletNode(context, "recorder", {
    numberOfInputs: 2,
    numberOfOutputs: 0,
    channelCount: 1,
    channelCountMode: "explicit",
  });
  const microphone = await navigator.mediaDevices.getUserMedia({ audio: AS_IT_IS });
  context.createMediaStreamSource(microphone).connect(recorder, 0, 0);
  const frames = [];
  const events = [];
  const recorded = () => (frames.length ? (frames.length * frames[0][0].length) / RATE_HZ : 0);
  const line = { context, recorder, microphone, events, recorded, frame: () => {} };
  recorder.port.onmessage = ({ data }) => {
    frames.push(data);
    line.frame(data[0]);
  };
  const end = await WAYS[over](line, { over, url, key, session });
  await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
  const statistics = await end();
  recorder.port.onmessage = null;
  const [said, heard] = [0, 1].map((side) => base64(joined(frames.map((frame) => frame[side]))));
  return { rateHz: RATE_HZ, said, heard, events, statistics };
}

const WAYS = { webrtc: byTracks, smallwebrtc: byTracks, websocket: byEvents };

/** WebRTC: the microphone goes as it is, the agent plays in an element, as in any such page. */
async function byTracks(line, { over }) {
  const connection = new RTCPeerConnection();
  connection.addTrack(line.microphone.getAudioTracks()[0], line.microphone);
  const channel = connection.createDataChannel("oai-events");
  channel.onmessage = ({ data }) => note(line, JSON.parse(data));
  const ping = setInterval(() => {
    if (over === "smallwebrtc" && channel.readyState === "open") channel.send("ping");
  }, PING_MS);
  connection.ontrack = ({ streams: [stream] }) => {
    const loudspeaker = new Audio();
    loudspeaker.srcObject = stream;
    loudspeaker.play();
    line.context.createMediaStreamSource(stream).connect(line.recorder, 0, 1);
  };
  await connection.setLocalDescription(await connection.createOffer());
  const sdp = await window.answer(connection.localDescription.sdp);
  await connection.setRemoteDescription({ type: "answer", sdp });
  return async () => {
    const kinds = ["inbound-rtp", "outbound-rtp", "remote-inbound-rtp"];
    const all = [...(await connection.getStats()).values()];
    clearInterval(ping);
    connection.close();
    return all.filter(({ type }) => kinds.includes(type));
  };
}

/** The WebSocket: the microphone goes in events of 20 ms, the agent plays as it comes. */
async function byEvents(line, { url, key, session }) {
  const socket = new WebSocket(url, ["realtime", `openai-insecure-api-key.${key}`]);
  const tell = (event) => socket.send(JSON.stringify(event));
  const loudspeaker = player(line);
  socket.onmessage = ({ data }) => {
    const event = JSON.parse(data);
    if (event.type === "response.output_audio.delta") loudspeaker.play(event.delta);
    else if (event.type === "input_audio_buffer.speech_started") loudspeaker.stop();
    note(line, event);
  };
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error(`${url} does not let this page in`));
  });
  tell({ type: "session.update", session });
  line.frame = (samples) => {
    tell({ type: "input_audio_buffer.append", audio: base64(samples) });
  };
  return async () => {
    socket.close();
    return [];
  };
}

/** Plays 16-bit samples in base64, one behind the other, the first at once. */
function player({ context, recorder }) {
  const playing = new Set();
  let ends = 0;
  return {
    play(audio) {
      const samples = new Int16Array(Uint8Array.from(atob(audio), (c) => c.charCodeAt(0)).buffer);
      const buffer = context.createBuffer(1, samples.length, RATE_HZ);
      buffer.copyToChannel(Float32Array.from(samples, (sample) => sample / 32768), 0);
      const source = new AudioBufferSourceNode(context, { buffer });
      source.connect(context.destination);
      source.connect(recorder, 0, 1);
      const at = Math.max(context.currentTime, ends);
      source.start(at);
      ends = at + buffer.duration;
      playing.add(source);
      source.onended = () => playing.delete(source);
    },
    stop() {
      for (const source of playing) source.stop();
      ends = 0;
    },
  };
}

/** Keeps an event, with how long the recording was when it came. */
function note({ events, recorded }, event) {
  if (!event.type?.endsWith(".delta")) events.push({ at_s: recorded(), event });
}

function joined(pieces) {
  const all = new Int16Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

function base64(samples) {
  const bytes = new Uint8Array(samples.buffer);
  const pieces = [];
  for (let at = 0; at < bytes.length; at += 0x8000) {
    pieces.push(String.fromCharCode(...bytes.subarray(at, at + 0x8000)));
  }
  return btoa(pieces.join(""));
}
