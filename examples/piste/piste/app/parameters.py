"""What a request says, as typed values."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from flask import request

from buttress import Code, Problem

T = TypeVar("T")


def body_as(kind: type[T]) -> T:
    """Read the JSON body as ``kind``; answers 422 where it does not fit."""
    try:
        return msgspec.convert(request.get_json(), kind)
    except msgspec.ValidationError as error:
        raise Problem(Code.UNPROCESSABLE_CONTENT, str(error)) from error


def query_as(kind: type[T]) -> T:
    """Read the query string as ``kind``; answers 400 where it does not fit."""
    try:
        return msgspec.convert(request.args.to_dict(), kind, strict=False)
    except msgspec.ValidationError as error:
        raise Problem(Code.BAD_REQUEST, str(error)) from error
