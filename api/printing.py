"""打印件 Answers that are printed: PDF documents, shown in the browser and kept by nobody (W5)."""

from typing import Any

from fastapi import Response

PDF: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The document",
        "content": {
            "application/pdf": {
                "schema": {"type": "string", "format": "binary"},
                "example": "the PDF's own bytes",
            }
        },
    }
}
"""How the API describes such an answer."""


def pdf_answer(content: bytes, name: str) -> Response:
    """The document under a name of its own."""
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'inline; filename="{name}.pdf"',
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type="application/pdf", headers=headers)
