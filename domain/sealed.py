"""密存 What somebody wrote or sent: in the vault, and known to facts by a salted digest (A4)."""

from pydantic import Field

from domain.facts import Value


class Sealed(Value):
    """Words, a file or a carrier's payload that may name people (rules.md 30).

    The card holds 16 random bytes and then the content; the digest is the SHA-256 of both, so that
    it says nothing once the card is gone, and proves the content while it is there.
    """

    card: str = Field(description="id of the card in the vault")
    digest: str = Field(description="SHA-256 of salt and content, in hex")
