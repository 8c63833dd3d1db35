"""Whole columns as PostgreSQL's binary arrays: what group commits and views hand to `unnest`.

psycopg dumps lists element by element with a dumper each; for the thousands of values of one
group commit, or of a view's batch, that is a fifth of its time. The format is PostgreSQL's own
(`array_send`): number of dimensions, a null flag, the element's type, length and lower bound,
then length-prefixed values.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import chain, repeat
from struct import Struct, pack
from typing import Any, ClassVar

from psycopg import adapters
from psycopg.adapt import Dumper
from psycopg.pq import Format

_HEADER = Struct("!IIIII")
_LENGTHS = [pack("!i", length) for length in range(4096)]
_NULL = pack("!i", -1)
_FIRST_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
_FIRST_DAY = date(2000, 1, 1)


class Column:
    """One packed array; its subclass tells the element's type."""

    __slots__ = ("packed",)
    element_oid: ClassVar[int]
    array_oid: ClassVar[int]

    def __init__(self, length: int, body: bytes, *, nulls: bool = False) -> None:
        header = _HEADER.pack(1, nulls, self.element_oid, length, 1)
        self.packed = header + body if length else _HEADER.pack(0, 0, self.element_oid, 0, 0)[:12]


class Texts(Column):
    """A `text[]`."""

    __slots__ = ()
    element_oid, array_oid = 25, 1009


class Binaries(Column):
    """A `bytea[]`."""

    __slots__ = ()
    element_oid, array_oid = 17, 1001


class Integers(Column):
    """A `bigint[]`."""

    __slots__ = ()
    element_oid, array_oid = 20, 1016


class Booleans(Column):
    """A `boolean[]`."""

    __slots__ = ()
    element_oid, array_oid = 16, 1000


class Moments(Column):
    """A `timestamptz[]`."""

    __slots__ = ()
    element_oid, array_oid = 1184, 1185


class Days(Column):
    """A `date[]`."""

    __slots__ = ()
    element_oid, array_oid = 1082, 1182


def texts(values: Sequence[str | None]) -> Texts:
    """Pack strings; None becomes null."""
    if None in values:
        encoded = [None if value is None else value.encode() for value in values]
        return Texts(len(values), _nullable(encoded), nulls=True)
    return Texts(len(values), _prefixed([value.encode() for value in values]))  # type: ignore[union-attr]


def binaries(values: Sequence[bytes | None]) -> Binaries:
    """Pack byte strings; None becomes null."""
    if None in values:
        return Binaries(len(values), _nullable(values), nulls=True)
    return Binaries(len(values), _prefixed(values))  # type: ignore[arg-type]


def integers(values: Sequence[int | None]) -> Integers:
    """Pack integers of up to 64 bits; None becomes null."""
    if None in values:
        packed = [None if value is None else pack("!q", value) for value in values]
        return Integers(len(values), _nullable(packed), nulls=True)
    body = pack("!" + "iq" * len(values), *chain.from_iterable(zip(repeat(8), values)))
    return Integers(len(values), body)


def booleans(values: Sequence[bool]) -> Booleans:
    """Pack truth values."""
    body = pack("!" + "i?" * len(values), *chain.from_iterable(zip(repeat(1), values)))
    return Booleans(len(values), body)


def moments(values: Sequence[datetime | None]) -> Moments:
    """Pack aware datetimes; None becomes null."""
    body = b"".join([_NULL if value is None else _moment(value) for value in values])
    return Moments(len(values), body, nulls=None in values)


def days(values: Sequence[date | None]) -> Days:
    """Pack dates; None becomes null."""
    body = b"".join([_NULL if value is None else _day(value) for value in values])
    return Days(len(values), body, nulls=None in values)


PACKERS: dict[str, Callable[[Sequence[Any]], Column]] = {
    "text": texts,
    "bytea": binaries,
    "bigint": integers,
    "boolean": booleans,
    "timestamptz": moments,
    "date": days,
}
"""By the name of the element's type."""


# What was committed together was recorded at one moment.
@lru_cache(maxsize=1024)
def _moment(value: datetime) -> bytes:
    since = value - _FIRST_MOMENT
    return pack("!iq", 8, (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


@lru_cache(maxsize=1024)
def _day(value: date) -> bytes:
    return pack("!ii", 4, (value - _FIRST_DAY).days)


def _length(value: bytes) -> bytes:
    return _LENGTHS[len(value)] if len(value) < len(_LENGTHS) else pack("!i", len(value))


def _prefixed(values: Sequence[bytes]) -> bytes:
    try:
        lengths = [_LENGTHS[length] for length in map(len, values)]
    except IndexError:
        lengths = [_length(value) for value in values]
    return b"".join(chain.from_iterable(zip(lengths, values, strict=True)))


def _nullable(values: Iterable[bytes | None]) -> bytes:
    return b"".join([_NULL if value is None else _length(value) + value for value in values])


class _ColumnDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Column) -> bytes:
        return obj.packed


for _column in (Texts, Binaries, Integers, Booleans, Moments, Days):
    # For every connection of this process made from now on.
    adapters.register_dumper(
        _column, type(f"{_column.__name__}Dumper", (_ColumnDumper,), {"oid": _column.array_oid})
    )
