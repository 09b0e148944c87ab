"""A file names a timezone that pandas knows, and by which it opens no other file."""

from datetime import UTC, timedelta, timezone
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from dateutil.tz import gettz

from lstm_strategy.support import check_zone, name_zone

ZONES = [UTC, ZoneInfo("Europe/Berlin"), timezone(timedelta(hours=-3, minutes=-30))]


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_a_zone_is_known_again_by_its_name(zone):
    moment = pd.Timestamp("2024-07-01", tz=zone)
    assert moment.tz_convert(check_zone(name_zone(zone))).isoformat() == moment.isoformat()


def test_a_zone_of_a_file_has_no_name():
    with pytest.raises(ValueError, match="has no name that a file could keep"):
        name_zone(gettz("Europe/Berlin"))


@pytest.mark.parametrize("name", ["dateutil/Europe/Berlin", "../x", "", "Asia", "x" * 200, None, 1])
def test_what_is_no_zone_is_refused(name):
    with pytest.raises(ValueError, match="is no timezone"):
        check_zone(name)
