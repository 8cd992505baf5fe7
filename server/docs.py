"""The front page and the documentation page."""

from typing import Any

from server import page, realtime_docs, schema_page, web_app


def front(host: str, has_app: bool) -> str:
    """`/`: what this is and how to talk to it. `host` is how the visitor reached it."""
    app = '<p><a href="/app/">Open the web app</a></p>'
    return page.page(
        "VoiceForge",
        page.paragraph(
            "A self-hosted voice agent: it listens, thinks and speaks with models that run here. "
            "It speaks the OpenAI Realtime protocol over WebSocket and WebRTC."
        ),
        app if has_app else page.paragraph(web_app.GET_IT),
        page.heading("Talk to it"),
        page.code(
            f"voiceforge talk --url ws://{host}                  # microphone\n"
            f"voiceforge talk --url ws://{host} --in question.wav --out reply.wav"
        ),
        page.paragraph(
            "On this machine that needs no more; elsewhere set VOICEFORGE_API_KEY to a key from "
            "`voiceforge keys create`. Or with the `openai` SDK for Python:"
        ),
        page.code(
            "client = AsyncOpenAI(\n"
            f'    base_url="http://{host}/v1",\n'
            f'    websocket_base_url="ws://{host}/v1",\n'
            '    api_key="vf_...",\n'
            ")\n"
            'async with client.realtime.connect(model="gpt-realtime") as connection:\n'
            "    ..."
        ),
        page.heading("Look around"),
        '<ul><li><a href="/docs">Documentation</a></li>'
        '<li><a href="/readyz">Do the models answer?</a></li>'
        '<li><a href="/metrics">Metrics</a></li></ul>',
    )


def documentation(schema: dict[str, Any]) -> str:
    """`/docs`: the HTTP routes of an OpenAPI `schema`, then the realtime protocol."""
    return page.page(
        "VoiceForge: documentation",
        page.heading("HTTP"),
        page.paragraph(
            "As OpenAPI: `/schema/openapi.json`. All but the public routes need a key, sent as "
            "`Authorization: Bearer vf_…` or `xi-api-key: vf_…`; a browser's WebSocket offers the "
            "subprotocol `openai-insecure-api-key.ek_…` with a client secret. On pages of this "
            "server the cookie of `POST /v1/web/session` stands for the key: then what changes "
            "something needs its `csrf_token`, as the header `x-csrf-token`, and a WebSocket the "
            "`Origin` of this server."
        ),
        *(
            schema_page.operation(path, method, described)
            for path, methods in schema.get("paths", {}).items()
            for method, described in methods.items()
        ),
        page.heading("Objects"),
        schema_page.objects(schema.get("components", {}).get("schemas", {})),
        *realtime_docs.sections(),
    )
