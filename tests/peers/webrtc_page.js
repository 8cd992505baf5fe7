// Runs in a page of Chromium: calls over plain RTCPeerConnection, as OpenAI's guide has them.

const calls = [];

/** Speech for the microphone, decoded: by name. */
const clips = {};

async function learn(name, base64) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  clips[name] = await new AudioContext({ sampleRate: 48_000 }).decodeAudioData(bytes.buffer);
}

/** A call; `echo`: how much of the agent comes back through the microphone, 0 to 1. */
async function call(headers, { query = 'model=gpt-realtime', own = true, echo = 0, rtc = {} } = {}) {
  const context = new AudioContext({ sampleRate: 48_000 });
  const mouth = context.createMediaStreamDestination();
  const connection = new RTCPeerConnection(rtc);
  const one = {
    connection, context, mouth, events: [], heard: [], loud: [], states: [], own, began: performance.now(),
  };
  connection.onconnectionstatechange = () => one.states.push(connection.connectionState);
  const microphone = own
    ? mouth.stream
    : await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: false } });
  connection.addTrack(microphone.getAudioTracks()[0], microphone);
  connection.ontrack = ({ streams }) => listen(one, streams[0], echo);
  one.channel = connection.createDataChannel('oai-events');
  one.channel.onmessage = ({ data }) => {
    one.events.push({ at: performance.now() - one.began, ...JSON.parse(data) });
  };
  one.channel.onclose = () => { one.closed = true; };
  await connection.setLocalDescription(await connection.createOffer());
  const answered = await fetch(`/v1/realtime/calls?${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/sdp', ...headers },
    body: connection.localDescription.sdp,
  });
  const text = await answered.text();
  if (answered.status !== 201) throw new Error(`${answered.status}: ${text}`);
  one.location = answered.headers.get('location');
  await connection.setRemoteDescription({ type: 'answer', sdp: text });
  calls.push(one);
  return calls.length - 1;
}

function listen(one, stream, echo) {
  const element = new Audio();  // Chromium decodes only what some element plays
  element.srcObject = stream;
  element.muted = true;
  element.play();
  const source = one.context.createMediaStreamSource(stream);
  const tap = one.context.createScriptProcessor(1024, 1, 1);
  tap.onaudioprocess = ({ inputBuffer }) => {
    const samples = inputBuffer.getChannelData(0);
    let peak = 0;
    for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
    one.heard.push(samples.slice());
    one.loud.push([performance.now() - one.began, peak]);
  };
  source.connect(tap);
  tap.connect(one.context.destination);
  if (echo) {
    const back = one.context.createGain();
    back.gain.value = echo;
    source.connect(back);
    back.connect(one.mouth);
  }
}

/** Says a clip into the call's own microphone; resolves when it is said. */
function say(number, name) {
  const { context, mouth } = calls[number];
  const source = context.createBufferSource();
  source.buffer = clips[name];
  source.connect(mouth);
  return new Promise((said) => { source.onended = said; source.start(); });
}

const ask = (number, event) => calls[number].channel.send(JSON.stringify(event));

const eventsOf = (number) => calls[number].events;

/** When the agent was last louder than a whisper, in ms of the call. */
const lastLoud = (number) => calls[number].loud.findLast(([, peak]) => peak > 0.03)?.[0] ?? 0;

const nowOf = (number) => performance.now() - calls[number].began;

/** All that was heard so far: mono 16-bit PCM at 48 kHz, in base64. */
function heardOf(number) {
  const { heard } = calls[number];
  const pcm = new Int16Array(heard.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of heard) for (const sample of piece) pcm[at++] = sample * 32_767;
  const bytes = new Uint8Array(pcm.buffer);
  let text = '';
  for (let i = 0; i < bytes.length; i += 32_768) {
    text += String.fromCharCode(...bytes.subarray(i, i + 32_768));
  }
  return btoa(text);
}

async function statsOf(number) {
  return [...(await calls[number].connection.getStats()).values()];
}

const hangUp = (number) => calls[number].connection.close();
