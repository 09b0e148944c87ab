"""Digests that tell whether two contents are the same."""

import hashlib


def sha256_of(content: bytes) -> str:
    """The sha256 of some bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
