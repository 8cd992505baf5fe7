"""Pronunciation dictionaries, through the `elevenlabs` SDK for Python."""

import base64
import io
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import pytest
from elevenlabs.client import AsyncElevenLabs, ElevenLabs
from elevenlabs.core.api_error import ApiError
from elevenlabs.errors import UnprocessableEntityError
from elevenlabs.pronunciation_dictionaries import rules as sdk_rules
from elevenlabs.pronunciation_dictionaries import types as sdk
from elevenlabs.types import PronunciationDictionaryVersionLocator
from openai import OpenAI
from websockets.asyncio.client import connect

from tests.peers.sound import transcribed, word_error_rate
from tests.server.eleven.test_pls import LAUGHS, W3C, zipped
from tests.server.program import Server
from tests.server.test_access import asked, made

pytestmark = [pytest.mark.models, pytest.mark.peers]

Alias = (
    sdk.BodyAddAPronunciationDictionaryV1PronunciationDictionariesAddFromRulesPostRulesItem_Alias
)
Phoneme = (
    sdk.BodyAddAPronunciationDictionaryV1PronunciationDictionariesAddFromRulesPostRulesItem_Phoneme
)

PLAIN: Any = {"type": "alias", "string_to_replace": "a", "alias": "b"}
"""As the SDK's documentation writes a rule."""

NASA = Alias(string_to_replace="NASA", alias="nassa")
TOMATO = Phoneme(string_to_replace="tomato", phoneme="T AH0 M AA1 T OW2", alphabet="cmu-arpabet")


@pytest.fixture
def client(server: Server) -> Iterator[ElevenLabs]:
    client = ElevenLabs(base_url=server.url, api_key=server.key)
    yield client
    client._client_wrapper.httpx_client.httpx_client.close()


@pytest.fixture
async def waiting(server: Server) -> AsyncIterator[AsyncElevenLabs]:
    client = AsyncElevenLabs(base_url=server.url, api_key=server.key)
    yield client
    await client._client_wrapper.httpx_client.httpx_client.aclose()


def told(error: ApiError) -> tuple[int | None, str]:
    """The status, and all of what is said."""
    return error.status_code, str(error.body)


def strings(client: ElevenLabs, dictionary_id: str) -> list[str]:
    rules = client.pronunciation_dictionaries.get(dictionary_id).rules
    return [rule.string_to_replace for rule in rules]


def test_one_is_made_from_rules_and_read(client: ElevenLabs) -> None:
    dictionaries = client.pronunciation_dictionaries
    new = dictionaries.create_from_rules(
        name="Space", description="and food", rules=[NASA, TOMATO], workspace_access="viewer"
    )
    assert (new.name, new.description, new.version_rules_num) == ("Space", "and food", 2)
    assert new.permission_on_resource == "admin"
    read = dictionaries.get(new.id)
    assert read.latest_version_id == new.version_id
    assert read.creation_time_unix == new.creation_time_unix
    assert read.archived_time_unix is None
    alias, phoneme = read.rules
    assert (alias.type, alias.string_to_replace, alias.alias) == ("alias", "NASA", "nassa")
    assert (phoneme.type, phoneme.alphabet) == ("phoneme", "cmu-arpabet")
    assert phoneme.phoneme == "T AH0 M AA1 T OW2"
    assert (alias.case_sensitive, alias.word_boundaries) == (True, True)


def test_one_is_made_from_a_file_and_downloaded(client: ElevenLabs) -> None:
    dictionaries = client.pronunciation_dictionaries
    new = dictionaries.create_from_file(name="W3C", file=io.BytesIO(W3C))
    assert new.version_rules_num == 6
    file = b"".join(dictionaries.download(new.id, new.version_id))
    again = dictionaries.create_from_file(name="again", file=("again.pls", file))
    assert dictionaries.get(again.id).rules == dictionaries.get(new.id).rules


def test_each_change_of_rules_is_a_version(client: ElevenLabs) -> None:
    dictionaries = client.pronunciation_dictionaries
    new = dictionaries.create_from_rules(name="a", rules=[NASA, TOMATO])
    added = dictionaries.rules.add(
        new.id,
        rules=[
            sdk_rules.PronunciationDictionaryRule_Alias(string_to_replace="NASA", alias="N A S A"),
            sdk_rules.PronunciationDictionaryRule_Phoneme(
                string_to_replace="C++", phoneme="siː", alphabet="ipa", word_boundaries=False
            ),
        ],
    )
    assert (added.id, added.version_rules_num) == (new.id, 3)
    assert strings(client, new.id) == ["tomato", "NASA", "C++"]
    removed = dictionaries.rules.remove(new.id, rule_strings=["tomato", "nobody"])
    assert strings(client, new.id) == ["NASA", "C++"]
    last = dictionaries.rules.set(new.id, rules=[PLAIN])
    assert strings(client, new.id) == ["a"]
    versions = [new.version_id, added.version_id, removed.version_id, last.version_id]
    assert len(set(versions)) == 4
    files = [b"".join(dictionaries.download(new.id, version)) for version in versions]
    assert [file.count(b"<lexeme>") for file in files] == [2, 3, 2, 1]
    assert b"<alias>nassa</alias>" in files[0]


async def test_they_are_listed_in_pages_renamed_and_archived(
    server: Server, waiting: AsyncElevenLabs
) -> None:
    account = await asked(server, "POST", "/v1/admin/accounts", {"name": f"A {uuid4()}"})
    _, key = await made(server, account_id=account["id"], scopes=["speech"])
    own = AsyncElevenLabs(base_url=server.url, api_key=key)
    dictionaries = own.pronunciation_dictionaries
    for name in "bca":
        await dictionaries.create_from_rules(name=name, rules=[NASA])

    async def names(**options: Any) -> str:
        found, cursor = "", None
        while True:
            page = await dictionaries.list(page_size=2, cursor=cursor, **options)
            found += "".join(one.name for one in page.pronunciation_dictionaries)
            cursor = page.next_cursor
            assert page.has_more == (cursor is not None)
            if cursor is None:
                return found

    assert await names() == "acb"
    assert await names(sort="name", sort_direction="ascending") == "abc"
    assert await names(sort="name", sort_direction="DESCENDING") == "cba"
    assert await names(sort="creation_time_unix", sort_direction="ascending") == "bca"
    first = (await dictionaries.list(page_size=1)).pronunciation_dictionaries[0]
    renamed = await dictionaries.update(first.id, name="z")
    assert (renamed.name, renamed.latest_version_id) == ("z", first.latest_version_id)
    archived = await dictionaries.update(first.id, archived=True)
    assert (archived.name, archived.archived_time_unix is None) == ("z", False)
    assert await names() == "cb"
    assert await names(include_archived=True) == "zcb"
    assert (await dictionaries.update(first.id, archived=False)).archived_time_unix is None
    with pytest.raises(ApiError) as refused:
        await waiting.pronunciation_dictionaries.get(first.id)
    assert told(refused.value)[0] == 404
    await own._client_wrapper.httpx_client.httpx_client.aclose()


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ([], "length >= 1"),
        ([Alias(string_to_replace="", alias="x")], "length >= 1"),
        ([NASA] * 10_001, "length <= 10000"),
    ],
)
def test_rules_that_cannot_be_read_are_told(
    client: ElevenLabs, rules: list[Alias], said: str
) -> None:
    with pytest.raises(UnprocessableEntityError) as refused:
        client.pronunciation_dictionaries.create_from_rules(name="a", rules=rules)
    assert said in told(refused.value)[1]


def test_phonemes_that_nobody_knows_are_told(client: ElevenLabs) -> None:
    rule = Phoneme(string_to_replace="a", phoneme="b", alphabet="x-sampa")
    with pytest.raises(ApiError) as refused:
        client.pronunciation_dictionaries.create_from_rules(name="a", rules=[NASA, rule])
    status, said = told(refused.value)
    assert status == 400
    assert "rules[1].alphabet: 'x-sampa' is not known: write ipa or cmu-arpabet" in said


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (W3C[:900], "no XML"),
        (LAUGHS.encode(), "DOCTYPE"),
        (zipped(), "no XML"),
        (W3C.replace(b'"ipa"', b'"x-sampa"'), "x-sampa"),
    ],
)
def test_files_that_are_no_lexicon_are_told(client: ElevenLabs, file: bytes, said: str) -> None:
    with pytest.raises(ApiError) as refused:
        client.pronunciation_dictionaries.create_from_file(name="a", file=file)
    status, text = told(refused.value)
    assert status == 400
    assert said in text


def test_what_is_not_there_is_told(client: ElevenLabs) -> None:
    dictionaries = client.pronunciation_dictionaries
    new = dictionaries.create_from_rules(name="a", rules=[NASA])
    for ask in (
        lambda: dictionaries.get("dict_none"),
        lambda: dictionaries.update("dict_none", name="b"),
        lambda: dictionaries.rules.remove("dict_none", rule_strings=["a"]),
        lambda: list(dictionaries.download(new.id, "dictver_none")),
    ):
        with pytest.raises(ApiError) as refused:
            ask()
        status, said = told(refused.value)
        assert status == 404
        assert "there is no pronunciation dictionary" in said


RULES = [
    Alias(string_to_replace="ZQ-7", alias="the old computer"),
    Phoneme(string_to_replace="xyzzy", phoneme="pəˈteɪtoʊ", alphabet="ipa"),
]
WRITTEN = "My ZQ-7 was sold, and they gave me a xyzzy in the market."
SPOKEN = "My old computer was sold, and they gave me a potato in the market."


def test_speech_has_the_words_as_the_dictionary_says_them(
    server: Server, client: ElevenLabs
) -> None:
    made = client.pronunciation_dictionaries.create_from_rules(name="ours", rules=RULES)
    locator = PronunciationDictionaryVersionLocator(
        pronunciation_dictionary_id=made.id, version_id=made.version_id
    )
    audio = client.text_to_speech.convert(
        voice_id="joe",
        text=WRITTEN,
        output_format="pcm_24000",
        pronunciation_dictionary_locators=[locator],
    )
    assert "computer was sold" in (heard := transcribed(b"".join(audio)).lower())
    assert "potato in the market" in heard
    timed = client.text_to_speech.convert_with_timestamps(
        voice_id="joe", text=WRITTEN, pronunciation_dictionary_locators=[locator]
    )
    assert timed.alignment is not None
    assert "".join(timed.alignment.characters) == WRITTEN
    with OpenAI(base_url=f"{server.url}/v1", api_key=server.key) as openai:
        answer = openai.audio.speech.create(
            model="tts-1",
            voice="jf_alpha",
            input=WRITTEN,
            response_format="pcm",
            extra_body={"pronunciation_dictionaries": [{"pronunciation_dictionary_id": made.id}]},
        )
    assert word_error_rate(transcribed(answer.content), SPOKEN) <= 0.25


def test_a_dictionary_that_is_not_there_is_told(client: ElevenLabs) -> None:
    locator = PronunciationDictionaryVersionLocator(pronunciation_dictionary_id="pd_none")
    with pytest.raises(ApiError) as refused:
        list(
            client.text_to_speech.convert(
                voice_id="joe", text="Hi.", pronunciation_dictionary_locators=[locator]
            )
        )
    assert told(refused.value)[0] == 404
    assert "there is no pronunciation dictionary 'pd_none'" in told(refused.value)[1]


async def test_what_is_dictated_has_them_too(server: Server, client: ElevenLabs) -> None:
    made = client.pronunciation_dictionaries.create_from_rules(name="ours", rules=RULES)
    url = f"{server.url.replace('http', 'ws', 1)}/v1/text-to-speech/joe/stream-input"
    locators = [{"pronunciation_dictionary_id": made.id}]
    opening = {"text": " ", "pronunciation_dictionary_locators": locators}
    async with connect(
        f"{url}?output_format=pcm_24000", additional_headers={"xi-api-key": server.key}
    ) as socket:
        for message in (opening, {"text": f"{WRITTEN} "}, {"text": ""}):
            await socket.send(json.dumps(message))
        answers = [json.loads(text) async for text in socket]
    audio = b"".join(base64.b64decode(one["audio"] or "") for one in answers)
    heard = transcribed(audio).lower()
    assert "computer was sold" in heard
    assert "potato in the market" in heard
