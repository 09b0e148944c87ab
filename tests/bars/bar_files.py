"""Files of three bars, and what they hold."""

from textwrap import dedent

import pandas as pd

DAYS = ["2024-01-02", "2024-01-03", "2024-01-16"]


def three_bars(dates=DAYS) -> pd.DataFrame:
    """Return what every file of this module holds."""
    return pd.DataFrame(
        {
            "open": [10.0, 11.0, 12.5],
            "high": [12.0, 13.0, 14.0],
            "low": [9.0, 10.0, 11.25],
            "close": [11.0, 12.0, 13.0],
            "volume": [500.0, 400.0, 1200.0],
        },
        index=pd.DatetimeIndex(dates, name="datetime"),
    )


def write_file(folder, text: str, name: str = "prices.csv"):
    path = folder / name
    path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
    return path


NUMBERS = ("10,12,9,11,500", "11,13,10,12,400", "12.5,14,11.25,13,1200")


def dated_csv(header: str, dates: list[str]) -> str:
    rows = [f"{date},{numbers}" for date, numbers in zip(dates, NUMBERS, strict=True)]
    return "\n".join([header, *rows]) + "\n"


def assert_same_bars(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(found, expected, check_freq=False, check_index_type="equiv")
