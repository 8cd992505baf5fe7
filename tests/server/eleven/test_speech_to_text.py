"""What ElevenLabs' SDKs ask of a transcription."""

import json
from typing import Any

import pytest
from litestar import Litestar
from litestar.exceptions import ValidationException

from engine.languages import SPOKEN
from server.access.denied import Denied
from server.eleven.languages import ISO_639_3, UnknownLanguage, code_of, tag_of
from server.eleven.speech_to_text import SpeechToText, hearing, wanted
from server.eleven_transcription_routes import routes
from server.forms import Forms


def form(**fields: str) -> dict[str, list[str]]:
    return {name: [value] for name, value in {"model_id": "scribe_v2", **fields}.items()}


def test_languages_have_two_letters_or_three() -> None:
    assert [tag_of(code) for code in ("en", "eng", "en-US", "cmn", "yue", None, "")] == [
        *("en", "en", "en", "zh", "yue", "auto", "auto")
    ]
    assert (code_of("de"), code_of(""), code_of("zh-Hant")) == ("deu", "und", "zho")
    assert set(ISO_639_3) == SPOKEN - {"jw"} | {"jv"}  # Whisper's name, which is out of date
    with pytest.raises(UnknownLanguage, match="'klingon'"):
        tag_of("klingon")


def test_names_are_terms_and_a_language_is_known_or_found() -> None:
    asked = wanted(form(language_code="deu") | {"keyterms": ["Zadarma", "Moritz Keller"]})
    heard = hearing(asked)
    assert (heard.language, heard.terms) == ("de", ("Zadarma", "Moritz Keller"))
    assert (heard.words, heard.by) == (True, "many")
    heard = hearing(wanted(form(timestamps_granularity="none")))
    assert (heard.language, heard.words) == ("auto", False)


def test_the_fast_recogniser_has_english_without_times() -> None:
    fast = {"model_id": "moonshine-tiny-en", "timestamps_granularity": "none"}
    heard = hearing(wanted(form(**fast)))
    assert (heard.language, heard.by, heard.words) == ("en", "fast", False)
    with pytest.raises(Denied, match="knows English only"):
        wanted(form(**fast, language_code="fra"))
    with pytest.raises(Denied, match="knows no times of words"):
        wanted(form(model_id="moonshine-tiny-en"))
    with pytest.raises(Denied, match="knows no times of words"):
        wanted(form(**fast, additional_formats='[{"format": "srt"}]'))


def test_what_sdks_send_for_nothing_is_nothing() -> None:
    nothing = form(entity_detection="null", webhook_metadata="null", additional_formats="null")
    more = form(diarize="false", tag_audio_events="true", webhook="false", num_speakers="2")
    assert wanted(nothing | {"keyterms": [""]}) == wanted(form())
    assert hearing(wanted(more)) == hearing(wanted(form()))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"diarize": "true"}, "diarize: speakers are not told apart"),
        ({"use_multi_channel": "true"}, "use_multi_channel"),
        ({"webhook": "true"}, "webhook: the answer comes at once"),
        ({"source_url": "https://example.com/a.mp3"}, "source_url: nothing is fetched"),
        ({"cloud_storage_url": "https://example.com/a.mp3"}, "nothing is fetched here"),
        ({"entity_detection": '"all"'}, "entity_detection"),
        ({"entity_redaction": '["pii"]'}, "entity_redaction"),
        ({"transcript_edit": "make it rhyme"}, "transcript_edit"),
        ({"numbers_format": "words"}, "numbers_format"),
        ({"no_verbatim": "true"}, "no_verbatim"),
        ({"additional_formats": '[{"format": "pdf"}]'}, "no pdf is made here"),
        ({"model_id": "scribe_v9"}, "no model 'scribe_v9' that transcribes"),
        ({"model_id": "scribe_v2_realtime"}, "no model 'scribe_v2_realtime' that"),
    ],
)
def test_what_cannot_be_had_is_refused(fields: dict[str, str], told: str) -> None:
    with pytest.raises(Denied, match=told):
        wanted(form(**fields))


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"timestamps_granularity": "letter"}, "timestamps_granularity"),
        ({"file_format": "aac"}, "file_format"),
        ({"temperature": "7"}, "temperature"),
        ({"seed": "-1"}, "seed"),
        ({"diarize": "perhaps"}, "diarize"),
        ({"keyterms": "x" * 51}, "keyterms[0]"),
        ({"additional_formats": "[{"}, "additional_formats"),
        ({"additional_formats": "[" * 9999}, "additional_formats"),
        ({"additional_formats": '[{"format": "doc"}]'}, "additional_formats[0].format"),
        ({"additional_formats": json.dumps([{"format": "srt"}] * 4)}, "additional_formats"),
        ({"model_id": ""}, ""),
        ({"language_code": "klingon"}, "language_code"),
    ],
)
def test_what_cannot_be_read_says_where(fields: dict[str, str], place: str) -> None:
    with pytest.raises(ValidationException) as told:
        hearing(wanted(form(**fields)))
    assert isinstance(told.value.extra, list)
    assert told.value.extra[0]["key"] == place
    assert json.dumps(told.value.extra)


def test_all_that_may_be_asked_is_described_and_so_is_the_answer() -> None:
    unused: Any = None
    application = Litestar(routes(unused, Forms(1), {}), logging_config=None)
    described = application.openapi_schema.to_schema()
    route = described["paths"]["/v1/speech-to-text"]["post"]
    form = route["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert set(form["properties"]) == {"file", *SpeechToText.__struct_fields__}
    [(kind, answer)] = route["responses"]["200"]["content"].items()
    assert kind == "application/json"
    assert answer["schema"] == {"$ref": "#/components/schemas/Transcript"}
    assert "words" in described["components"]["schemas"]["Transcript"]["properties"]
