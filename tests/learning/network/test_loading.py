"""A network file of a stranger runs no code, and grows no larger than it is."""

import io
import json
import zipfile

import pytest

from lstm_strategy import LSTMStrategyError
from lstm_strategy.learning.network import build_lstm_member, keras, read_network


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "network.keras"
    build_lstm_member(3, units=(4,), dropout=0.0, lookback=9, seed=0).save(path)
    return path.read_bytes()


def rewritten(content, change, compression=zipfile.ZIP_STORED):
    """The archive with its files, as a dict, changed."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return written.getvalue()


def with_units(n_units):
    def change(files):
        config = files["config.json"].decode()
        assert '"units": 4' in config
        files["config.json"] = config.replace('"units": 4', f'"units": {n_units}').encode()

    return change


def with_bomb(files):
    files["model.weights.h5"] = bytes(10**7)


def with_code(files):
    files["payload.py"] = b"print('run')"


def with_nested_config(files):
    files["config.json"] = json.dumps({"config": 0}).replace("0", "[" * 10**5).encode()


def test_a_network_is_read_as_it_was_saved(content):
    network = read_network(content, saved_with="3")
    assert network.output_shape == (None, None, 1)
    assert keras.Layer.add_weight.__name__ == "add_weight"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        pytest.param(lambda c: b"PK" + c[:40], "not a zip file", id="torn"),
        pytest.param(
            lambda c: rewritten(c, with_bomb, zipfile.ZIP_DEFLATED), "archive that Keras", id="bomb"
        ),
        pytest.param(lambda c: rewritten(c, with_code), "archive that Keras", id="another file"),
        pytest.param(lambda c: rewritten(c, dict.clear), "archive that Keras", id="no file"),
        pytest.param(lambda c: rewritten(c, with_nested_config), "too deep", id="nested"),
        pytest.param(lambda c: rewritten(c, with_units(10**9)), "number 1000000000", id="wide"),
        pytest.param(
            lambda c: rewritten(c, with_units(60_000)), "more weights than its file", id="weights"
        ),
        pytest.param(lambda c: rewritten(c, with_units(5)), "can't be read", id="other shape"),
    ],
)
def test_a_damaged_network_is_refused(content, damage, message):
    with pytest.raises(LSTMStrategyError, match=message):
        read_network(damage(content), saved_with="3")
