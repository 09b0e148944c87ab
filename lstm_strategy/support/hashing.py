"""Digests that show whether two contents are the same."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

_SEAL = "sha256"


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


def seal(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a JSON file with the digest of all of it, by which a change is noticed.

    Whoever can compute a digest can seal a content of his own: this guards against damage and
    against edits that forgot what hangs together, such as another end of a training.

    Args:
        content: What JSON can hold. An earlier seal is replaced.

    Returns:
        The content with its digest under the name "sha256".

    Example:
        >>> sealed = seal({"end": 2012})
        >>> seal(sealed) == sealed, seal(sealed | {"end": 2013}) == sealed | {"end": 2013}
        (True, False)
    """
    unsealed = {name: value for name, value in content.items() if name != _SEAL}
    return {**unsealed, _SEAL: sha256_of(json.dumps(unsealed, sort_keys=True))}
