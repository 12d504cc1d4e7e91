"""The documents of the API: OpenAPI for what is asked, AsyncAPI for what is told."""

from hackles.wallboard.roads import Road


def roads() -> list[Road]:
    """Return the documents' own roads."""
    return []
