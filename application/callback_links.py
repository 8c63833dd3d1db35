"""Addresses and salts for carriers' pushes: one of each a parcel, unguessable (T2; R36, R39).

Both follow from a secret and the parcel's number, so nothing has to be stored and nothing can be
looked up from outside; a secret that is replaced stays good for checking until it is dropped.
"""

import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from application.key_files import read_or_create

TAG_HEX = 24
"""Hex digits of a link's tag: 96 bits."""


@dataclass(frozen=True, slots=True)
class CallbackLinks:
    """Makes and checks callback keys; the first secret makes, all of them check."""

    secrets: Sequence[bytes]
    tenant: str
    public_url: str

    @classmethod
    def in_folder(cls, folder: Path, *, tenant: str, public_url: str) -> "CallbackLinks":
        """Links keyed by `callbacks.secret` of this folder, one secret in hex a line."""
        path = folder / "callbacks.secret"
        lines = read_or_create(path, make=lambda: os.urandom(32).hex().encode()).split()
        return cls([bytes.fromhex(line.decode()) for line in lines], tenant, public_url)

    def key(self, parcel: str) -> str:
        """The last part of a parcel's callback address."""
        return f"{parcel}.{self._tag(self.secrets[0], parcel)}"

    def url(self, parcel: str, partner: str = "kuaidi100") -> str:
        """Where the partner sends what it knows of this parcel."""
        return f"{self.public_url}/v1/callbacks/{partner}/{self.key(parcel)}"

    def payment_url(self, order: str) -> str:
        """Where the payment provider sends what it knows of an order's payments."""
        return self.url(order, partner="payment")

    def carrier_url(self, partner: str) -> str:
        """Where a carrier that pushes all its parcels to one address sends them."""
        return f"{self.public_url}/v1/callbacks/carriers/{self.key(partner)}"

    def salt(self, parcel: str) -> str:
        """The salt the partner signs this parcel's pushes with: 32 characters."""
        return self._derived(self.secrets[0], b"salt", parcel).hex()[:32]

    def signal_id(self, learner: str) -> str:
        """What a learner is called where their app is signalled: nobody else knows who it is."""
        return self._derived(self.secrets[0], b"signal", learner).hex()[:32]

    def parcel_of(self, key: str) -> tuple[str, str] | None:
        """(parcel, salt) of a callback key; None for a key that was not made here."""
        parcel, _, tag = key.rpartition(".")
        for secret in self.secrets:
            if hmac.compare_digest(self._tag(secret, parcel).encode(), tag.encode()):
                return parcel, self._derived(secret, b"salt", parcel).hex()[:32]
        return None

    def _tag(self, secret: bytes, parcel: str) -> str:
        return self._derived(secret, b"link", parcel).hex()[:TAG_HEX]

    def _derived(self, secret: bytes, purpose: bytes, parcel: str) -> bytes:
        message = b"\0".join((purpose, self.tenant.encode(), parcel.encode()))
        return hmac.digest(secret, message, hashlib.sha256)
