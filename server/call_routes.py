"""Calls from browsers: an offer is answered, and the rest goes over WebRTC."""

import time
from typing import Any, cast

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import OpenAPIType, Schema
from multipart import MultipartError, PushMultipartParser
from multipart import MultipartSegment as Segment

from engine.errors import RequestError
from server.access.authority import Needs
from server.access.caller import caller_of
from server.access.denied import Denied, retry
from server.forward import gateway_of
from server.ice_servers import IceServers, ice_servers
from server.media_types import MULTIPART, takes
from server.realtime import Sockets
from server.refusals import refusals
from server.settings import WebRtcSettings
from server.system import GatewaySilent, System
from transports.handshake import Refused, query_of
from transports.outbox import Message
from transports.realtime.wire import JsonObject
from transports.webrtc.sdp import LARGEST_OFFER

SDP = "application/sdp"

LARGEST_BODY = LARGEST_OFFER + 1024 * 1024
"""Bytes, with a session beside the offer."""

MOST_PARTS = 8

RETRY_SILENT_S = 2

FORM = Schema(
    type=OpenAPIType.OBJECT,
    properties={
        "sdp": Schema(type=OpenAPIType.STRING, description="the offer"),
        "session": Schema(
            type=OpenAPIType.STRING, description="JSON, as in `session.update`: how it begins"
        ),
    },
    required=["sdp"],
)

OFFER = Schema(type=OpenAPIType.STRING, description="what `createOffer()` gave")

Asked = Request[Any, Any, Any]


class Wanted(msgspec.Struct, frozen=True):
    """An offer, and the session that is to begin with it."""

    offer: str
    session: JsonObject | None = None


def routes(
    sockets: Sockets, system: System, settings: WebRtcSettings, turn_secret: str | None
) -> list[HTTPRouteHandler]:
    """The handlers; `turn_secret` is shared with the TURN server."""

    @post(
        "/v1/realtime/calls",
        status_code=201,
        guards=[Needs("realtime")],
        responses=refusals(404, 413),
        request_max_body_size=LARGEST_BODY,
        operation_class=takes({SDP: OFFER, MULTIPART: FORM}, gives=SDP),
        summary="Call from a browser",
    )
    async def call(request: Asked) -> Response[bytes]:
        """An SDP offer, alone or as `sdp` in a form beside a `session`; the answer is SDP, and
        `Location` names the call. Then speech goes both ways as Opus, and the realtime protocol's
        events over the data channel `oai-events`, which the client makes before its offer.

        `?model=` and `?agent=` as over the WebSocket; `?session_id=` and `&resume=` come back to a
        session, also from a WebSocket. Who has not connected after 15 s is given up.
        """
        scope = cast(Message, request.scope)
        query = query_of(scope)
        body = await request.body()
        owner = gateway_of(query.get("session_id", ""))
        if owner is not None and owner != system.index and system.path_of(owner) is not None:
            return await elsewhere(request, body, owner)
        wanted = wanted_of(request.content_type, body)
        try:
            answer, session_id = await sockets.call(scope, wanted.offer, query, wanted.session)
        except RequestError as error:
            raise Denied(400, error.code, told(error)) from error
        except Refused as refused:
            raise retry(refused.status, refused.code, str(refused), refused.retry_after_s) from None
        headers = {"location": f"/v1/realtime/calls/{session_id}"}
        return Response(answer.encode(), status_code=201, media_type=SDP, headers=headers)

    async def elsewhere(request: Asked, body: bytes, owner: int) -> Response[bytes]:
        """The answer of the gateway in which the session lives: calls come to it at its ports."""
        path = request.url.path + "?" + request.url.query
        kind = request.headers.get("content-type", SDP)
        try:
            answered = await system.post(owner, path, caller_of(request.scope), body, kind)
        except GatewaySilent as silent:
            raise retry(503, "gateway_silent", str(silent), RETRY_SILENT_S) from silent
        kept = ("location", "retry-after")
        headers = {name: answered.headers[name] for name in kept if name in answered.headers}
        media_type = answered.headers.get("content-type", SDP)
        return Response(
            answered.body, status_code=answered.status, media_type=media_type, headers=headers
        )

    @get(
        "/v1/realtime/ice_servers",
        guards=[Needs("realtime")],
        responses=refusals(),
        summary="What helps a browser to reach us",
        sync_to_thread=False,
    )
    def servers(request: Asked) -> IceServers:
        """For `RTCPeerConnection({iceServers})`. None are needed, and there are none, where UDP
        leads from the browser to this machine.
        """
        who = caller_of(request.scope).key_id or "voiceforge"
        return ice_servers(settings, turn_secret, who, time.time())

    return [call, servers]


def told(error: RequestError) -> str:
    """What is wrong, and where."""
    return (
        f"{error.param}: {error}" if error.param and error.param not in str(error) else str(error)
    )


def wanted_of(content_type: tuple[str, dict[str, str]], body: bytes) -> Wanted:
    """What a request asks for. Raises `Denied`."""
    kind, options = content_type
    if kind == SDP:
        return Wanted(text_of(body, "the body"))
    if kind != MULTIPART or not options.get("boundary"):
        text = f"send the offer as {SDP}, or as `sdp` in a form ({MULTIPART})"
        raise Denied(400, "invalid_value", text)
    fields = fields_of(body, options["boundary"])
    if "sdp" not in fields:
        raise Denied(400, "invalid_value", "the form has no offer: send one, as `sdp`")
    session = session_of(fields["session"]) if fields.get("session") else None
    return Wanted(text_of(fields["sdp"], "sdp"), session)


def fields_of(body: bytes, boundary: str) -> dict[str, bytes]:
    """The parts of a form, by their names. Raises `Denied`."""
    found: dict[str, bytearray] = {}
    part = bytearray()
    try:
        with PushMultipartParser(boundary, max_segment_count=MOST_PARTS) as parser:
            for event in (*parser.parse(body), *parser.parse(b"")):
                if isinstance(event, Segment):
                    part = found.setdefault(event.name, bytearray())
                elif event is not None:
                    part += event
    except (MultipartError, UnicodeError) as error:
        raise Denied(400, "invalid_value", f"the form cannot be read: {error}") from error
    return {name: bytes(value) for name, value in found.items()}


def session_of(data: bytes) -> JsonObject:
    """Raises `Denied`."""
    try:
        session: JsonObject = msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise Denied(400, "invalid_value", f"session: no JSON object: {error}") from error
    return session


def text_of(data: bytes, where: str) -> str:
    """Raises `Denied`."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Denied(400, "invalid_value", f"{where}: no text: {error.reason}") from error
