"""Where a login leads to: a page of this site, and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from werkzeug.urls import iri_to_uri

if TYPE_CHECKING:
    from flask import Request

LONGEST = 2000
#: An absolute path with a query. Browsers read ``//`` and ``/\`` as the beginning of a host, take
#: ``\`` for ``/`` anywhere, and drop tabs and newlines (WHATWG URL, 4.4).
_TARGET = re.compile(r"/(?!/)[\x21-\x5b\x5d-\x7e]*")


def within_site(text: str | None) -> str | None:
    """Give a path with a query as it is; ``None`` for what may lead to another site."""
    if text is None or len(text) > LONGEST or not _TARGET.fullmatch(text):
        return None
    return text


def here(request: Request) -> str | None:
    """Give the path and the query of a request, to come back to."""
    parts = urlsplit(iri_to_uri(request.url))
    return within_site(parts._replace(scheme="", netloc="").geturl())
