"""What is said of a storage that fails: what it raised itself, never with its password."""

import errno

import optuna

from lstm_strategy.errors import TrainingError


def damaged_study(storage: str | None, error: Exception) -> TrainingError:
    """Our error for what damage made of Optuna."""
    words = " ".join(str(error).split()).rstrip(".")
    words = "".join(sign if sign.isprintable() else "�" for sign in words)
    reason = f"{type(error).__name__}: {words}" if words else type(error).__name__
    return TrainingError(
        f"The study in {without_password(storage or 'memory')} is damaged ({reason:.200}). "
        "Restore it from a copy, or choose another storage."
    )


def unusable_storage(storage: str, error: Exception) -> TrainingError:
    """Our error for a storage that can't be opened, with what it says itself."""
    reason = reason_of(error)
    remedy = "Write sqlite:///FILE, postgresql://USER@HOST/DATABASE or journal:FILE."
    if "full" in reason or getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
        remedy = "Make room, and run the same command again."
    elif isinstance(error, ImportError):
        remedy = "For PostgreSQL: pip install 'lstm-strategy[postgresql]'."
    return TrainingError(
        f"The storage {without_password(storage)} can't be used: {reason}. {remedy}"
    )


def error_of_storage(error: BaseException | None) -> BaseException | None:
    """What the storage itself raised; None if it raised nothing."""
    if isinstance(error, AssertionError):  # Optuna's, of a trial whose end it couldn't keep
        return error_of_storage(error.__context__)
    is_unnamed = isinstance(error, OSError) and error.filename is None  # from a journal
    return error if error is not None and (is_unnamed or is_of_database(error)) else None


def is_of_database(error: BaseException) -> bool:
    """Whether a database, or what Optuna makes of one, raised an error."""
    if isinstance(error, optuna.exceptions.StorageInternalError):
        return True
    return type(error).__module__.startswith(("sqlalchemy", "optuna.storages", "alembic"))


def reason_of(error: BaseException) -> str:
    """What the database itself says, in one line: Optuna's error hides it behind its own."""
    while error.__cause__ is not None and is_of_database(error.__cause__):
        error = error.__cause__
    text = str(getattr(error, "orig", None) or error).split("\n\n")[0]
    return " ".join(text.split()).rstrip(".")


def without_password(storage: str) -> str:
    """The name of a storage as messages may repeat it."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return str(make_url(storage).render_as_string(hide_password=True))
    except ArgumentError:
        return storage.rpartition("@")[2]
