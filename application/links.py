"""How every connection to PostgreSQL that lasts is made (R06)."""

from typing import Any, Final

LINK: Final[dict[str, Any]] = {
    "connect_timeout": 5,
    # A host that vanished without a word is noticed in seconds; sockets without a host ignore it.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
