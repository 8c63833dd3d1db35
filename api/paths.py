"""路径 What stands in the paths of routes: names of things, checked before they are looked for."""

from typing import Annotated

from fastapi import Path

from api.bodies import Sku

Number = Annotated[
    str,
    Path(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9-]+$", description="the order's number"),
]
Learner = Annotated[
    str,
    Path(
        min_length=1,
        max_length=100,
        pattern=r"^[\w.@+/=-]+$",
        description="the learner's id on the platform",
    ),
]
ItemSku = Annotated[Sku, Path(description="the item's SKU")]
ParcelNumber = Annotated[
    str,
    Path(
        min_length=1, max_length=80, pattern=r"^[A-Za-z0-9-]+$", description="the parcel's number"
    ),
]
