"""凭证文件 Which files a case takes: by their first bytes, not by what they are called (D1)."""

from domain.refusals import InvalidRequest

SIZE_MAX = 4_000_000
"""Bytes of one file: a phone's picture, or some scanned pages."""
_MAGIC = (
    ("image/jpeg", b"\xff\xd8\xff"),
    ("image/png", b"\x89PNG\r\n\x1a\n"),
    ("application/pdf", b"%PDF-"),
)
MEDIA_TYPES = ("image/jpeg", "image/png", "image/webp", "application/pdf")
"""What is taken; suffixes are in the same order."""
SUFFIXES = dict(zip(MEDIA_TYPES, ("jpg", "png", "webp", "pdf"), strict=True))


def media_type_of(content: bytes) -> str | None:
    """What a file is by its first bytes; None for what no case takes."""
    for media_type, magic in _MAGIC:
        if content.startswith(magic):
            return media_type
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return None


def checked_file(content: bytes, *, called: str) -> str:
    """The file's media type. Raises `InvalidRequest` where it is none, too big, or something else.

    `called` is the type it came with; parameters after a semicolon say nothing of it.
    """
    named = called.partition(";")[0].strip().lower()
    if named not in MEDIA_TYPES:
        raise InvalidRequest(field="Content-Type", reason=f"one of {', '.join(MEDIA_TYPES)}")
    if not content:
        raise InvalidRequest(field="body", reason="the file is empty")
    if len(content) > SIZE_MAX:
        raise InvalidRequest(field="body", reason=f"a file has at most {SIZE_MAX} bytes")
    if media_type_of(content) != named:
        raise InvalidRequest(field="body", reason=f"the file is no {named}")
    return named
