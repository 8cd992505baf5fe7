"""Pronunciation dictionaries as ElevenLabs' SDKs send and read them."""

import base64
import re
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from actors import arpabet
from actors.dictionary import Rule
from server.access.denied import Denied
from storage.dictionaries import Dictionary, Place

MOST_RULES = 10_000
LONGEST_STRING, LONGEST_ALIAS, LONGEST_PHONEME = 250, 1000, 200
LONGEST_NAME, LONGEST_DESCRIPTION = 200, 2000

ALPHABETS = "ipa", "cmu-arpabet"

CONTROLS = re.compile("[\x00-\x1f\x7f\ufffe\uffff]")
"""Nobody writes them in a word, and no XML can hold them."""

Name = Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME)]
Description = Annotated[str, Meta(max_length=LONGEST_DESCRIPTION)]
Access = Literal["admin", "editor", "commenter", "viewer"]
String = Annotated[str, Meta(min_length=1, max_length=LONGEST_STRING)]


class AliasRule(msgspec.Struct, frozen=True, tag_field="type", tag="alias"):
    """Where the string is written, the alias is said: the string in this case and as whole words,
    unless those are false.
    """

    string_to_replace: String
    alias: Annotated[str, Meta(min_length=1, max_length=LONGEST_ALIAS)]
    case_sensitive: bool | None = None
    word_boundaries: bool | None = None


class PhonemeRule(msgspec.Struct, frozen=True, tag_field="type", tag="phoneme"):
    """The same with what the phonemes tell, in the `alphabet` "ipa" or "cmu-arpabet"."""

    string_to_replace: String
    phoneme: Annotated[str, Meta(min_length=1, max_length=LONGEST_PHONEME)]
    alphabet: str
    case_sensitive: bool | None = None
    word_boundaries: bool | None = None


SentRule = AliasRule | PhonemeRule
SentRules = Annotated[list[SentRule], Meta(min_length=1, max_length=MOST_RULES)]


class NewDictionary(msgspec.Struct, frozen=True):
    """A dictionary to be made. Every key of the account may use and change it, whatever the
    `workspace_access`.
    """

    name: Name
    rules: SentRules
    description: Description | None = None
    workspace_access: Access | None = None


class NewFromFile(msgspec.Struct, frozen=True):
    """The same, but its rules are in a file."""

    name: Name
    description: Description | None = None
    workspace_access: Access | None = None


class DictionaryChange(msgspec.Struct, frozen=True):
    """What is to be otherwise; what is not named stays."""

    name: Name | None = None
    archived: bool | None = None


class NewRules(msgspec.Struct, frozen=True):
    """Rules to be set, or added."""

    rules: SentRules


class RuleStrings(msgspec.Struct, frozen=True):
    """Whose rules are to be removed."""

    rule_strings: Annotated[list[str], Meta(min_length=1, max_length=MOST_RULES)]


class MadeDictionary(msgspec.Struct, frozen=True):
    """A dictionary that was made."""

    id: str
    name: str
    created_by: str
    creation_time_unix: int
    version_id: str
    version_rules_num: int
    description: str | None
    permission_on_resource: str = "admin"


class DictionaryMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """A dictionary, without its rules."""

    id: str
    latest_version_id: str
    latest_version_rules_num: int
    name: str
    created_by: str
    creation_time_unix: int
    archived_time_unix: int | None
    description: str | None
    permission_on_resource: str = "admin"


class DictionaryWithRules(DictionaryMetadata, frozen=True, kw_only=True):
    """A dictionary, with its latest rules."""

    rules: list[SentRule]


class DictionaryPage(msgspec.Struct, frozen=True):
    """Some dictionaries; the cursor leads to those that follow."""

    pronunciation_dictionaries: list[DictionaryMetadata]
    has_more: bool
    next_cursor: str | None = None


class DictionaryVersion(msgspec.Struct, frozen=True):
    """The version that has the rules now."""

    id: str
    version_id: str
    version_rules_num: int


def rules_in(sent: Iterable[SentRule]) -> list[Rule]:
    """The rules that were sent. Raises `Denied`."""
    rules = []
    for place, one in enumerate(sent):
        try:
            rules.append(checked(rule(one)))
        except ValueError as error:
            raise Denied(400, "invalid_rule", f"rules[{place}].{error}") from error
    return rules


def rule(sent: SentRule) -> Rule:
    """What it asks for. Raises `ValueError` for an alphabet that is not known."""
    string = sent.string_to_replace
    exact, whole = sent.case_sensitive is not False, sent.word_boundaries is not False
    if isinstance(sent, AliasRule):
        return Rule(string, alias=sent.alias, case_sensitive=exact, word_boundaries=whole)
    return pronounced(string, sent.phoneme, sent.alphabet, exact, whole)


def pronounced(
    string: str, phoneme: str, alphabet: str, exact: bool = True, whole: bool = True
) -> Rule:
    """A rule with phonemes. Raises `ValueError` for an alphabet that is not known."""
    match alphabet:
        case "ipa":
            return Rule(string, ipa=phoneme, case_sensitive=exact, word_boundaries=whole)
        case "cmu-arpabet" | "x-cmu-arpabet":
            return Rule(string, arpabet=phoneme, case_sensitive=exact, word_boundaries=whole)
    raise ValueError(f"alphabet: {alphabet[:40]!r} is not known: write {' or '.join(ALPHABETS)}")


def checked(rule: Rule) -> Rule:
    """The same. Raises `ValueError`, with the field at fault, for what cannot be said."""
    phoneme = rule.ipa or rule.arpabet
    for name, text, longest in (
        ("string_to_replace", rule.string_to_replace, LONGEST_STRING),
        ("phoneme", phoneme, LONGEST_PHONEME) if phoneme else ("alias", rule.alias, LONGEST_ALIAS),
    ):
        if not text.strip():
            raise ValueError(f"{name}: is blank")
        if len(text) > longest:
            raise ValueError(f"{name}: has {len(text)} characters: {longest} at most")
        if found := CONTROLS.search(text):
            raise ValueError(f"{name}: has U+{ord(found[0]):04X}, which is no letter: leave it out")
    if rule.arpabet:
        try:
            arpabet.ipa(rule.arpabet)
        except ValueError as error:
            raise ValueError(f"phoneme: {error}") from error
    return rule


def not_too_many(rules: Sequence[Rule]) -> None:
    """Raises `Denied`."""
    if len(rules) > MOST_RULES:
        text = f"the dictionary would have {len(rules)} rules: {MOST_RULES} at most"
        raise Denied(400, "too_many_rules", text)


def with_added(rules: Iterable[Rule], added: Sequence[Rule]) -> list[Rule]:
    """The rules, and those that are added, in place of those for the same strings."""
    return [*without(rules, {one.string_to_replace for one in added}), *added]


def without(rules: Iterable[Rule], strings: Collection[str]) -> list[Rule]:
    """The rules for other strings."""
    return [one for one in rules if one.string_to_replace not in strings]


def shown_rule(rule: Rule) -> SentRule:
    """As it was sent."""
    string, how = rule.string_to_replace, (rule.case_sensitive, rule.word_boundaries)
    if rule.alias:
        return AliasRule(string, rule.alias, *how)
    ipa, arpabet = ALPHABETS
    return PhonemeRule(string, rule.ipa or rule.arpabet, ipa if rule.ipa else arpabet, *how)


def made(kept: Dictionary) -> MadeDictionary:
    """One that was made just now."""
    return MadeDictionary(
        id=kept.id,
        name=kept.name,
        created_by=kept.account_id,
        creation_time_unix=unix(kept.created_at),
        version_id=kept.version_id,
        version_rules_num=kept.rules_count,
        description=kept.description,
    )


def metadata(kept: Dictionary) -> DictionaryMetadata:
    """What is known of one at its latest version."""
    return DictionaryMetadata(
        id=kept.id,
        latest_version_id=kept.version_id,
        latest_version_rules_num=kept.rules_count,
        name=kept.name,
        created_by=kept.account_id,
        creation_time_unix=unix(kept.created_at),
        archived_time_unix=None if kept.archived_at is None else unix(kept.archived_at),
        description=kept.description,
    )


def with_rules(kept: Dictionary, rules: Iterable[Rule]) -> DictionaryWithRules:
    """The same, and its rules."""
    told = msgspec.structs.asdict(metadata(kept))
    return DictionaryWithRules(**told, rules=[shown_rule(one) for one in rules])


def cursor(last: Dictionary) -> str:
    """Leads to those behind it, also when it is deleted."""
    stands = Place(last.created_at, last.name, last.id)
    return base64.urlsafe_b64encode(msgspec.json.encode(stands)).decode()


def place(cursor: str) -> Place:
    """Where it leads. Raises `Denied`."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cursor), type=Place)
    except (ValueError, msgspec.DecodeError) as error:
        text = f"cursor is {cursor[:64]!r}: it must be that of the page before"
        raise Denied(400, "invalid_cursor", text) from error


def versioned(kept: Dictionary) -> DictionaryVersion:
    """The version that it is at."""
    return DictionaryVersion(kept.id, kept.version_id, kept.rules_count)


def unix(moment: datetime) -> int:
    """In seconds."""
    return int(moment.timestamp())
