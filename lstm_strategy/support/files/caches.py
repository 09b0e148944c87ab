"""Where a user's own caches lie."""

from pathlib import Path


def user_cache_folder() -> Path | None:
    """The folder for what can be made again; None for a user who has no home.

    Containers and services may run as a user that no file names, without the variable HOME. There
    is nothing to keep then, and nothing to complain of.

    Example:
        >>> folder = user_cache_folder()
        >>> folder is None or folder.name
        'lstm-strategy'
    """
    from platformdirs import user_cache_path  # most commands need none

    try:
        return user_cache_path("lstm-strategy", appauthor=False)
    except RuntimeError:
        return None
