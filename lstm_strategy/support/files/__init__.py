"""Files and folders: written whole, read as a stranger's, or gone with their process.

`whole` writes files, `folders` replaces folders, `strangers` reads what anybody may have put there,
`temporary` tells by locks whose process has ended, and `caches` where a user's own lie.
"""

from lstm_strategy.support.files.caches import user_cache_folder
from lstm_strategy.support.files.folders import replace_folder
from lstm_strategy.support.files.strangers import (
    open_regular,
    parse_json,
    read_inside,
    read_whole,
)
from lstm_strategy.support.files.temporary import hold_file, name_in_errors, temporary_folder
from lstm_strategy.support.files.whole import (
    is_part_of,
    write_json,
    write_new,
    write_together,
    write_whole,
)

__all__ = [
    "hold_file",
    "is_part_of",
    "name_in_errors",
    "open_regular",
    "parse_json",
    "read_inside",
    "read_whole",
    "replace_folder",
    "temporary_folder",
    "user_cache_folder",
    "write_json",
    "write_new",
    "write_together",
    "write_whole",
]
