"""What every room uses and what knows nothing of markets.

Files that are written whole, digests, dates on one clock, versions of libraries, progress, tasks
side by side, and the parts of messages that all rooms word the same way.
"""

from typing import TYPE_CHECKING

from lstm_strategy.support.lazy import import_on_first_use

if TYPE_CHECKING:
    from lstm_strategy.support.files import (
        hold_file,
        is_part_of,
        name_in_errors,
        open_regular,
        parse_json,
        read_whole,
        replace_folder,
        temporary_folder,
        user_cache_folder,
        write_json,
        write_new,
        write_whole,
    )
    from lstm_strategy.support.hashing import seal, sha256_of
    from lstm_strategy.support.notebook import card_html, frame_html, line_svg, png_html
    from lstm_strategy.support.parallel import (
        SharedValue,
        choose_jobs,
        is_serial,
        run_tasks,
        share,
        silence_tensorflow,
        workers,
    )
    from lstm_strategy.support.progress import (
        OnEpoch,
        OnStep,
        OnWords,
        choose_progress,
        steps_progress,
        training_progress,
        words_progress,
    )
    from lstm_strategy.support.time_zones import naive_utc, naive_utc_index, on_clock_of
    from lstm_strategy.support.versions import library_versions
    from lstm_strategy.support.wording import (
        Offence,
        count_of,
        describe_first_offence,
        format_time,
        name_options,
        number_text,
        spell,
        suggest_names,
    )

__all__ = [
    "Offence",
    "OnEpoch",
    "OnStep",
    "OnWords",
    "SharedValue",
    "card_html",
    "choose_jobs",
    "choose_progress",
    "count_of",
    "describe_first_offence",
    "format_time",
    "frame_html",
    "hold_file",
    "is_part_of",
    "is_serial",
    "library_versions",
    "line_svg",
    "name_in_errors",
    "naive_utc",
    "naive_utc_index",
    "name_options",
    "number_text",
    "on_clock_of",
    "open_regular",
    "parse_json",
    "png_html",
    "read_whole",
    "replace_folder",
    "run_tasks",
    "seal",
    "sha256_of",
    "share",
    "silence_tensorflow",
    "spell",
    "steps_progress",
    "suggest_names",
    "temporary_folder",
    "training_progress",
    "user_cache_folder",
    "words_progress",
    "workers",
    "write_json",
    "write_new",
    "write_whole",
]

__getattr__ = import_on_first_use(
    __name__,
    {
        "card_html": ".notebook",
        "frame_html": ".notebook",
        "line_svg": ".notebook",
        "png_html": ".notebook",
        "hold_file": ".files",
        "is_part_of": ".files",
        "name_in_errors": ".files",
        "open_regular": ".files",
        "parse_json": ".files",
        "read_whole": ".files",
        "replace_folder": ".files",
        "write_json": ".files",
        "write_new": ".files",
        "write_whole": ".files",
        "seal": ".hashing",
        "sha256_of": ".hashing",
        "SharedValue": ".parallel",
        "choose_jobs": ".parallel",
        "is_serial": ".parallel",
        "run_tasks": ".parallel",
        "share": ".parallel",
        "silence_tensorflow": ".parallel",
        "workers": ".parallel",
        "OnEpoch": ".progress",
        "OnStep": ".progress",
        "OnWords": ".progress",
        "choose_progress": ".progress",
        "steps_progress": ".progress",
        "training_progress": ".progress",
        "words_progress": ".progress",
        "temporary_folder": ".files",
        "user_cache_folder": ".files",
        "naive_utc": ".time_zones",
        "naive_utc_index": ".time_zones",
        "on_clock_of": ".time_zones",
        "library_versions": ".versions",
        "Offence": ".wording",
        "count_of": ".wording",
        "describe_first_offence": ".wording",
        "format_time": ".wording",
        "name_options": ".wording",
        "number_text": ".wording",
        "spell": ".wording",
        "suggest_names": ".wording",
    },
)
