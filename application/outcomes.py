"""What becomes of a command: an answer, a refusal, or not known yet (design.md, The store)."""

from typing import Any, NamedTuple

import psycopg
from psycopg import errors
from pydantic_core import to_json

from domain.refusals import Refusal


class Outcome(NamedTuple):
    """A command's answer (JSON) and the log position at which it holds."""

    answer: bytes
    position: int
    repeated: bool
    """Whether this is the answer of an earlier sending."""


class Unavailable(Exception):
    """The store cannot answer now; the command may or may not have happened. Send it again."""


class InFlight(Exception):
    """The same command is still being decided elsewhere; send it again later (rules.md 31)."""


class KeyReused(Refusal):
    """The idempotency key was used with another request (rules.md 31)."""

    code = "key_reused"
    en = "This idempotency key was used for another request."
    zh = "该幂等键已用于另一请求。"


class RefusedBefore(Refusal):
    """The refusal that an earlier sending of this command got, with its own code and words."""

    def __init__(self, kept: dict[str, Any]) -> None:
        self.code = kept["code"]  # type: ignore[misc]
        self.en, self.zh = kept["en"], kept["zh"]  # type: ignore[misc]
        self.failures = kept.get("failures", [])
        super().__init__(**kept["figures"])

    def message(self, language: str = "en") -> str:
        """The words as they were."""
        return self.zh if language.startswith("zh") else self.en


def keep_refusal(refusal: Refusal) -> bytes:
    """A refusal as it is kept under its command's key."""
    failures = [one.as_failure() for one in getattr(refusal, "failures", ())]
    return to_json(
        {
            "code": refusal.code,
            "en": refusal.message("en"),
            "zh": refusal.message("zh"),
            "figures": refusal.figures,
            **({"failures": failures} if failures else {}),
        }
    )


OUTAGES = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    OSError,
    # The server ended our session or lost its primacy: it says so in classes of their own.
    errors.IdleInTransactionSessionTimeout,
    errors.TransactionTimeout,
    errors.ReadOnlySqlTransaction,
)
"""The log is out of reach or did not take the commit: nobody's mistake, it is tried again."""


def tellable(error: BaseException) -> Exception:
    """The error as its caller may get it: a future takes some for word of its own end."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    told = RuntimeError(f"the decision raised {type(error).__name__}")
    told.__cause__ = error
    return told
