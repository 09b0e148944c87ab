"""Every reader of files, with a valid file of its kind, how it is damaged, and how it is read."""

from tools.fuzz.readers.bars import BARS_READERS
from tools.fuzz.readers.kept import KEPT_READERS
from tools.fuzz.readers.models import MODEL_READERS
from tools.fuzz.readers.reader import Reader
from tools.fuzz.readers.settings import SETTINGS_READERS

READERS = {**BARS_READERS, **SETTINGS_READERS, **KEPT_READERS, **MODEL_READERS}
FAST = tuple(name for name, reader in READERS.items() if reader.is_fast)

__all__ = ["FAST", "READERS", "Reader"]
