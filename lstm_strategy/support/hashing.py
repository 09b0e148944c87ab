"""Digests that show whether two contents are the same."""

import hashlib


def sha256_of(content: bytes | str) -> str:
    """The SHA-256 digest of bytes, or of a text in UTF-8, as 64 hexadecimal digits.

    Args:
        content: The bytes or the text.

    Example:
        >>> sha256_of("abc")[:8]
        'ba7816bf'
        >>> sha256_of(b"abc") == sha256_of("abc")
        True
    """
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()
