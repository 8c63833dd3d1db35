"""People's words at the edge: cleaned where the meaning is plain, refused where it isn't (M4).

The raw text is not kept here; `Recipient.cleaned` puts it on the same card.
"""

import re
import unicodedata
from typing import Final, Literal

from domain.countries import HOME

NAME_LENGTH = 64
"""Most characters of a name after cleaning."""
REGION_LENGTH = 32
"""Most characters of a province, city or district."""
ADDRESS_LENGTH = 200
"""Most characters of an address."""
PHONE_LENGTH = 64
"""Most characters of a phone as it is written, separators and all."""
POSTCODE_LENGTH = 12
"""Most characters of a postcode."""

Reason = Literal[
    "missing", "damaged", "nul", "too_long", "emoji", "no_letters",
    "not_a_phone", "phone_extension", "not_a_postcode",
]  # fmt: skip

_WORDS: Final[dict[Reason, tuple[str, str]]] = {
    "missing": ("it is empty", "不能为空"),
    "damaged": ("it holds characters that were damaged on the way", "含有损坏的字符"),
    "nul": ("it holds a NUL character", "含有空字符(NUL)"),
    "too_long": ("it is too long", "内容过长"),
    "emoji": ("it holds emoji or pictures", "不能含有表情符号或图形"),
    "no_letters": ("it holds no letters", "必须含有文字"),
    "not_a_phone": ("it is not a phone number", "不是有效的电话号码"),
    "phone_extension": (
        "it has an extension; a number that can be dialled directly is needed",
        "带有分机号，请填写可直接拨打的号码",
    ),
    "not_a_postcode": ("it is not a postcode", "不是有效的邮政编码"),
}
_FIELDS: Final = {
    "name": "姓名",
    "phone": "电话",
    "province": "省份",
    "city": "城市",
    "district": "区县",
    "address": "地址",
    "postcode": "邮政编码",
}


class Unusable(ValueError):
    """Text that cannot be used: `field`, a stable `reason`, and words in `en` and `zh`.

    Never quotes the text: it may name a person, and errors end in logs.
    """

    def __init__(self, field: str, *, reason: Reason) -> None:
        self.field = field
        self.reason: Reason = reason
        en, zh = _WORDS[reason]
        self.en = f"{field}: {en}"
        self.zh = f"{_FIELDS.get(field.rpartition('.')[2], field)}：{zh}"
        super().__init__(self.en)

    def inside(self, place: str) -> "Unusable":
        """The same, said of a text that is deeper in what was sent."""
        return Unusable(f"{place}.{self.field}", reason=self.reason)


def clean_name(text: str, *, field: str = "name") -> str:
    """A person's name: at least one letter, no emoji, no spaces between Chinese characters.

    Raises `Unusable`.
    """
    cleaned = _plain(text, field=field, limit=NAME_LENGTH)
    if _PICTURE.search(cleaned):
        raise Unusable(field, reason="emoji")
    name = _BETWEEN_HAN.sub("", _spaced(cleaned))
    _check_length(name, field=field, limit=NAME_LENGTH)
    if not any(letter.isalpha() for letter in name):
        raise Unusable(field, reason="no_letters")
    return name


def clean_address(text: str, *, field: str = "address") -> str:
    """An address: emoji are taken out, for people decorate addresses; the words stay.

    Raises `Unusable`.
    """
    cleaned = _spaced(_unpictured(_plain(text, field=field, limit=ADDRESS_LENGTH)))
    _check_length(cleaned, field=field, limit=ADDRESS_LENGTH)
    if not any(letter.isalpha() for letter in cleaned):
        raise Unusable(field, reason="no_letters")
    return cleaned


def clean_region(text: str | None, *, field: str) -> str | None:
    """A province, city or district, without any spaces in Chinese; None when nothing is left.

    Raises `Unusable`.
    """
    if text is None:
        return None
    cleaned = _plain(text, field=field, limit=REGION_LENGTH)
    region = _BETWEEN_HAN.sub("", _spaced(_unpictured(cleaned)))
    if not region:
        return None
    _check_length(region, field=field, limit=REGION_LENGTH)
    return region


def clean_postcode(text: str | None, *, field: str = "postcode") -> str | None:
    """A postcode in capitals, with one space or dash where any stood; None when there is none.

    Raises `Unusable`.
    """
    if text is None:
        return None
    postcode = _spaced(_plain(text, field=field, limit=POSTCODE_LENGTH)).upper()
    if not postcode:
        return None
    _check_length(postcode, field=field, limit=POSTCODE_LENGTH)
    if not _POSTCODE.fullmatch(postcode):
        raise Unusable(field, reason="not_a_postcode")
    return postcode


def normalise_phone(text: str, *, field: str = "phone", country: str = HOME) -> str:
    """A phone number in E.164, `+8613800138000`; without country code it is one of `country`.

    Takes full-width digits, spaces, dashes, dots, brackets, the prefixes +86, 0086 and 86.
    Raises `Unusable`, also for numbers with an extension: nothing in E.164 can hold it.
    """
    if country != HOME:
        return _abroad(text, field=field, country=country)
    mobile = _MOBILE.fullmatch(text)
    if mobile is None:
        cleaned = _plain(text, field=field, limit=PHONE_LENGTH)
        if not cleaned.strip():
            raise Unusable(field, reason="missing")
        bare = _SEPARATORS.sub("", cleaned)
        mobile = _MOBILE.fullmatch(bare)
        if mobile is None:
            return _international(cleaned, field=field)
    return f"+86{mobile[1]}"


# Mainland mobiles are nearly all there is; phonenumbers takes 30 µs and 45 ms to import.
_MOBILE = re.compile(r"(?:\+86|0086|86)?(1[3-9][0-9]{9})")
_DASHES = "‐-―−⸺⸻〜~-"
_SEPARATORS = re.compile(rf"[\s().·•{_DASHES}]+")
_DIALLED = re.compile(r"\+?[0-9]{3,20}")
_EXTENSION = re.compile(r"(?i)[0-9](?:ext?\.?|x|#|,|;ext=|转|分机)[0-9]{1,8}$")
# 13800138000-1234 is how shops write a number that only lives behind an extension.
_MOBILE_TAIL = re.compile(rf"(?:\+?86|0086)?[\s{_DASHES}]*1[3-9][0-9]{{9}}[{_DASHES}][0-9]{{1,6}}")


_POSTCODE = re.compile(r"[0-9A-Z]+(?:[ -][0-9A-Z]+)*")


def _abroad(text: str, *, field: str, country: str) -> str:
    cleaned = _plain(text, field=field, limit=PHONE_LENGTH)
    if not cleaned.strip():
        raise Unusable(field, reason="missing")
    return _international(cleaned, field=field, country=country)


def _international(text: str, *, field: str, country: str = HOME) -> str:
    bare = _SEPARATORS.sub("", text)
    if _EXTENSION.search(bare) or _MOBILE_TAIL.fullmatch(text.strip()):
        raise Unusable(field, reason="phone_extension")
    # phonenumbers reads letters as the keys they are on; here they are somebody's name.
    if not _DIALLED.fullmatch(bare):
        raise Unusable(field, reason="not_a_phone")
    import phonenumbers

    try:
        number = phonenumbers.parse(bare, country)
    except phonenumbers.NumberParseException:
        raise Unusable(field, reason="not_a_phone") from None
    if not phonenumbers.is_valid_number(number):
        raise Unusable(field, reason="not_a_phone")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _plain(text: str, *, field: str, limit: int) -> str:
    """The text in NFKC without invisible characters; what cannot be text is refused."""
    # NFKC makes some characters up to 18 longer: what is far too long is never unfolded.
    if len(text) > 4 * limit:
        raise Unusable(field, reason="too_long")
    if "\x00" in text:
        raise Unusable(field, reason="nul")
    if _DAMAGED.search(text):
        raise Unusable(field, reason="damaged")
    # What is invisible goes first: an accent that stood behind it has to find its letter.
    return unicodedata.normalize("NFKC", _INVISIBLE.sub("", _BREAKS.sub(" ", text)))


def _unpictured(text: str) -> str:
    """Pictures become spaces, so that 3🏠5 is not 35; pictures of numbers become the number."""
    return _PICTURE.sub(_number_or_space, _KEYCAP.sub("", text))


def _number_or_space(picture: re.Match[str]) -> str:
    value = unicodedata.numeric(picture[0], None)
    return " " if value is None else f"{value:g}"


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _check_length(text: str, *, field: str, limit: int) -> None:
    if not text:
        raise Unusable(field, reason="missing")
    if len(text) > limit:
        raise Unusable(field, reason="too_long")


# Lone surrogates, non-characters, and the mark that other programs leave for what they lost.
_DAMAGED = re.compile(
    "[\ud800-\udfff\ufdd0-\ufdef\ufffd"
    + "".join(chr(plane << 16 | end) for plane in range(17) for end in (0xFFFE, 0xFFFF))
    + "]"
)
_BREAKS = re.compile(r"[\t-\r\x1c-\x1f\x85\u2028\u2029]+")
# Control and format characters (zero-width, bidi, tags), fillers, variation selectors.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# A digit in a box (3️⃣) is the digit and this mark, and in an address it says which house.
_KEYCAP = re.compile("(?<=[0-9])\u20e3")
# Blocks of arrows, pictures and dingbats; the letters in circles among them went with NFKC.
_PICTURE = re.compile(
    "[\u20d0-\u20f0\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u2580-\u27bf\u2900-\u297f\u2b00-\u2bff"
    "\u303d\U0001f000-\U0001faff\U0001fb00-\U0001fbff]"
)
_HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_BETWEEN_HAN = re.compile(rf"(?<=[{_HAN}]) +(?=[{_HAN}])")
