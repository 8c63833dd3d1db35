"""Files that hold secrets: made once, readable by their owner, never half written."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

LARGEST = 1 << 20
"""Bytes; a key file is small, anything larger is some other file."""
# A group that reads is how orchestrators mount secrets; writing, or everybody, never is right.
_EXPOSED = 0o027


class KeyFileRefused(Exception):
    """A key file is not what a key file has to be; the message names the file and the reason."""

    def __init__(self, path: Path, *, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")


def read_or_create(path: Path, *, make: Callable[[], bytes]) -> bytes:
    """What the file holds; if there is none, it is made with `make()` and mode 0600.

    Processes that start together agree: one file wins and all of them read it. Raises
    `KeyFileRefused` when others may read the file, or its group may write it.
    """
    try:
        return read(path)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    written = _written_beside(path, make())
    try:
        # Unlike a rename, a link never replaces the file of a process that was first.
        path.hardlink_to(written)
        _flush_names(path.parent)
    except FileExistsError:
        pass
    finally:
        written.unlink()
    return read(path)


def must_be_there(path: Path) -> None:
    """Raise `KeyFileRefused` where no service made this file yet: a new one opens nothing."""
    if not path.exists():
        raise KeyFileRefused(
            path,
            reason="no service made this key here: name its folder with --data or TALLYPOST_KEYS,"
            " or start it once",
        )


def read(path: Path) -> bytes:
    """What the file holds. Raises `FileNotFoundError`, or `KeyFileRefused` when it is exposed."""
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        if status.st_mode & _EXPOSED:
            raise KeyFileRefused(path, reason="its mode lets others in; chmod 600 it")
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise KeyFileRefused(path, reason="it is too large for a key file")
    return content


def replace(path: Path, *, content: bytes) -> None:
    """Put new content into the file at once: a crash leaves either the old or the new."""
    _written_beside(path, content).replace(path)
    _flush_names(path.parent)


def _written_beside(path: Path, content: bytes) -> Path:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    return beside


def _flush_names(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
