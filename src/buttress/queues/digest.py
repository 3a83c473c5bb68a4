"""The digests that SQS answers with, for brokers that have none."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any


def of_body(body: str) -> str:
    """Give the MD5 of a body, in hexadecimal."""
    return hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()


def of_attributes(attributes: Mapping[str, Any]) -> str:
    """Give the MD5 of attributes in the form of SQS or plain ones, in hexadecimal.

    Each is hashed in the order of their names: its name, its type, a byte for the kind of its
    value, and the value, all with their lengths in four bytes before (Amazon SQS Developer
    Guide, "Calculating the MD5 message digest for message attributes").
    """
    digest = hashlib.md5(usedforsecurity=False)
    for name, given in sorted(attributes.items()):
        it: Mapping[str, Any] = given if isinstance(given, Mapping) else {"StringValue": given}
        binary = it.get("BinaryValue")
        for text in (name, it.get("DataType", "String")):
            digest.update(_measured(text.encode()))
        value = str(it.get("StringValue", "")).encode() if binary is None else bytes(binary)
        digest.update((b"\x01" if binary is None else b"\x02") + _measured(value))
    return digest.hexdigest()


def _measured(value: bytes) -> bytes:
    return len(value).to_bytes(4) + value
