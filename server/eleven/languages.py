"""Languages as ElevenLabs names them: ISO 639-1 or 639-3 when asked, 639-3 when told."""

from actors.languages import primary
from engine.languages import AUTO

_PAIRS = """
af:afr am:amh ar:ara as:asm az:aze ba:bak be:bel bg:bul bn:ben bo:bod br:bre bs:bos ca:cat cs:ces
cy:cym da:dan de:deu el:ell en:eng es:spa et:est eu:eus fa:fas fi:fin fo:fao fr:fra gl:glg gu:guj
ha:hau haw:haw he:heb hi:hin hr:hrv ht:hat hu:hun hy:hye id:ind is:isl it:ita ja:jpn jv:jav ka:kat
kk:kaz km:khm kn:kan ko:kor la:lat lb:ltz ln:lin lo:lao lt:lit lv:lav mg:mlg mi:mri mk:mkd ml:mal
mn:mon mr:mar ms:msa mt:mlt my:mya ne:nep nl:nld nn:nno no:nor oc:oci pa:pan pl:pol ps:pus pt:por
ro:ron ru:rus sa:san sd:snd si:sin sk:slk sl:slv sn:sna so:som sq:sqi sr:srp su:sun sv:swe sw:swa
ta:tam te:tel tg:tgk th:tha tk:tuk tl:tgl tr:tur tt:tat uk:ukr ur:urd uz:uzb vi:vie yi:yid yo:yor
yue:yue zh:zho
"""

ISO_639_3: dict[str, str] = dict(pair.split(":") for pair in _PAIRS.split())
"""By the primary tag."""

NARROWER = {"arb": "ar", "cmn": "zh", "fil": "tl", "nob": "no", "pes": "fa", "swh": "sw"}
"""What ISO 639-3 has for one of several that the recogniser takes for one language."""

TAGS = {three: two for two, three in ISO_639_3.items()} | NARROWER

UNDETERMINED = "und"


class UnknownLanguage(ValueError):
    """A code that stands for no language that is known here."""


def tag_of(code: str | None) -> str:
    """The BCP-47 tag of a code, with or without a region; "auto" of none. Raises
    `UnknownLanguage`.
    """
    if not code:
        return AUTO
    first = primary(code)
    found = TAGS.get(first, first)
    if found not in ISO_639_3:
        raise UnknownLanguage(
            f"is {code[:20]!r}: it must be ISO 639-1 or 639-3, such as en or eng, of a language"
            f" that is known here: {', '.join(ISO_639_3)}; without one it is found"
        )
    return found


def code_of(tag: str) -> str:
    """The code of a language; that of an undetermined one if nobody knows which it is."""
    return ISO_639_3.get(primary(tag), UNDETERMINED)
