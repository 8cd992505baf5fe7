"""What the documentation page says about the realtime protocol."""

from server import page
from server.settings_sources import FIELDS, shown, variable
from transports.realtime import aliases
from transports.webrtc.sdp import LARGEST_EVENT

EXTENSION = (
    ("greeting", '`{"text", "interruptible"}`: what the agent says first, verbatim'),
    (
        "fallback_voices",
        "who speaks where the voice fails: the first of these, at most 3, that can",
    ),
    ("variables", "texts that fill `{{name}}` in the instructions and in the greeting"),
    (
        "reprompt",
        '`{"after_ms", "text", "times"}`: what the agent says after a silence on both sides; '
        "without `text` the model goes on by itself",
    ),
    ("longest_ms", "the longest that the session may last"),
    ("record", "whether both sides' audio is kept: `GET /v1/sessions/{id}/recording`"),
    ("resume", "sent by the server in `session.created`: the token to come back with"),
)

OWN_EVENTS = (
    (
        "voiceforge.turn.measured",
        "when each stage of a response was reached, in ms after the caller's last voiced sample: "
        "`pause`, `transcript`, `first_token`, `first_speech`, `verdict`, `promoted`, "
        "`first_audio` (those that apply)",
    ),
    (
        "voiceforge.pong",
        "the answer to `voiceforge.ping`, which a client may send to learn whether its connection "
        "still leads here: to a page a browser tells nothing of a WebSocket's own pings",
    ),
    (
        "voiceforge.session.ended",
        "why the session ended; the last event before the socket is closed",
    ),
)

MOMENTS = (
    (
        "input_audio_buffer.speech_started",
        "at the caller's first speech; while the agent speaks, only when the caller is judged to "
        'interrupt it, so that an "mhm" does not stop a stock client. `audio_start_ms` is true '
        "either way",
    ),
    ("input_audio_buffer.speech_stopped", "when the turn is judged to be over, never before"),
    ("response.created", "when an answer goes live; answers prepared in a pause are not shown"),
    (
        "conversation.item.truncated",
        "after `conversation.item.truncate`: the history keeps the smaller of your `audio_end_ms` "
        "and what was played",
    ),
)


def sections() -> list[str]:
    """The HTML parts of the page, in order."""
    return [
        page.heading("Realtime: /v1/realtime"),
        page.paragraph(
            "A WebSocket that speaks the OpenAI Realtime protocol (GA event names). Stock clients "
            "work unmodified. Audio is `audio/pcm` (24 kHz mono, 16 bit), `audio/pcmu` or "
            "`audio/pcma`; turns are found by `semantic_vad` (the default), `server_vad`, or the "
            "client itself (`turn_detection: null`)."
        ),
        page.heading("Names", 3),
        page.table(
            ("what", "accepted"),
            (
                ("models", ", ".join(aliases.MODELS)),
                ("transcription models", ", ".join(aliases.TRANSCRIBERS)),
                ("voices", ", ".join(f"{name} ({own})" for name, own in aliases.VOICES.items())),
            ),
        ),
        page.paragraph(
            "Stock names are aliases: whatever is asked for, the models of this server answer."
        ),
        page.heading("When events are sent", 3),
        page.table(("event", "when"), MOMENTS),
        page.heading("Own events", 3),
        page.table(("event", "what it says"), OWN_EVENTS),
        page.heading("Own session fields", 3),
        page.paragraph("Under `session.voiceforge` in `session.update`:"),
        page.table(("field", "meaning"), EXTENSION),
        page.heading("Coming back", 3),
        page.paragraph(
            "A client that was cut off has `limits.reconnect_grace_s` seconds to connect again "
            "with `?session_id=<id>&resume=<token>`, both from `session.created`; the conversation "
            "goes on with its history."
        ),
        page.heading("Calls from browsers: WebRTC", 3),
        page.paragraph(
            "`POST /v1/realtime/calls` begins the same session over WebRTC: the events go over the "
            "data channel `oai-events`, speech as Opus beside it, so that there are no "
            "`response.output_audio.delta`; `output_audio_buffer.started`, `.stopped` and "
            "`.cleared` tell when the agent is heard, and `output_audio_buffer.clear` silences it. "
            "`?session_id=<id>&resume=<token>` goes on with a session, also one that began over "
            "the WebSocket, and the other way round. An event that is larger than the browser "
            "takes (`a=max-message-size` of its offer) is left out, and an `error` says so "
            "(`event_too_large`). The browser's own events may have "
            f"{LARGEST_EVENT} bytes, or `limits.max_event_bytes` if that is less, as the answer "
            "says; a larger one ends the connection, with the same error. A browser that closes "
            "its connection ends the session; one that is not heard of for five seconds (15 while "
            "it has no microphone open) may come back. "
            "What was heard is reckoned from pacing and the browser's reports; its own buffer is "
            "taken for 60 ms (40 to 60 were measured on a steady line), and one that spoke and is "
            "silent for more than a second has heard nothing since."
        ),
        page.heading("A sideband", 3),
        page.paragraph(
            "A second connection with `?call_id=<id>`, the `id` of `session.created`, joins an "
            "open session beside its client, as OpenAI's server controls do: it gets "
            "`session.created`, then every event from there on but `response.output_audio.delta`, "
            "and may send any client event (`session.update`, `response.create`, function "
            "outputs). Errors and `conversation.item.retrieved` go to the connection that asked. "
            "It takes no place among the sessions. One that stops reading is dropped; the session "
            "goes on without it. While the client is away it goes on, but can have nothing spoken "
            "(`client_away`). When the session ends it is closed with 1000 and the reason, or 1011 "
            "if the session failed; with 1012 if its gateway is lost. An id that no open session "
            "has is answered with HTTP 404, more than 8 sidebands with 429."
        ),
        page.heading("Settings of the server"),
        page.paragraph(
            "In `voiceforge.toml`, as environment variables, or on the command line; "
            "`voiceforge config show` tells which apply."
        ),
        page.table(
            ("key", "variable", "default", "allowed"),
            (
                (
                    key,
                    variable(key),
                    "" if field.default is None else shown(field.default),
                    field.allowed,
                )
                for key, field in FIELDS.items()
            ),
        ),
    ]
