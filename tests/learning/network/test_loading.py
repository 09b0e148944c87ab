"""A network file of a stranger runs no code, and grows no larger than it is."""

import io
import json
import zipfile

import h5py
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


def with_layer(name, config, **named):
    """A network with a layer more, which nothing needs."""

    def change(files):
        network = json.loads(files["config.json"])
        layer = {"module": "keras.layers", "class_name": name, "config": config, **named}
        network["config"]["layers"].append({**layer, "name": "more", "inbound_nodes": []})
        files["config.json"] = json.dumps(network).encode()

    return change


def with_activation(module, name):
    """A network whose activation is a function of some module."""

    def change(files):
        config = files["config.json"].decode()
        function = {"module": module, "class_name": "function", "config": name}
        assert '"activation": "tanh"' in config
        files["config.json"] = config.replace(
            '"activation": "tanh"',
            f'"activation": {json.dumps({**function, "registered_name": name})}',
        ).encode()

    return change


def with_weights(change_weights):
    def change(files):
        weights = io.BytesIO(files["model.weights.h5"])
        with h5py.File(weights, "r+") as file:
            del file["layers/dense/vars/0"]
            change_weights(file["layers/dense/vars"])
        files["model.weights.h5"] = weights.getvalue()

    return change


def link_elsewhere(group):
    group["0"] = h5py.ExternalLink("/etc/passwd", "/x")


def take_from_a_file(group):
    group.create_dataset("0", (4, 1), "f4", external=[("/etc/passwd", 0, 16)])


def take_from_a_view(group):
    view = h5py.VirtualLayout((4, 1), "f4")
    view[:] = h5py.VirtualSource("/etc/passwd", "x", (4, 1))
    group.create_virtual_dataset("0", view)


def pack_zeros(group):
    group.create_dataset("0", (10**5, 10**5), "f4", chunks=(100, 100), compression="gzip")


def name_what_is_nowhere(group):
    group.create_dataset("0", (2**40,), "f4")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(with_layer("Lambda", {"function": "x"}), "can't be read", id="lambda"),
        pytest.param(with_layer("TFSMLayer", {"filepath": "/tmp"}), "can't be read", id="TFSM"),
        pytest.param(
            with_layer("StringLookup", {"vocabulary": "/etc/passwd"}), "can't be read", id="lookup"
        ),
        pytest.param(
            with_layer("Mine", {}, module="subprocess", registered_name="Popen"),
            "'Popen', which isn't registered",
            id="class of a module",
        ),
        pytest.param(
            with_activation("os", "system"), "'system', which isn't registered", id="function"
        ),
        pytest.param(
            with_activation("keras.utils", "get_file"), "can't be read", id="function of Keras"
        ),
        pytest.param(with_layer("UpSampling1D", {"size": 60_000}), "adds rows", id="up"),
        pytest.param(with_weights(link_elsewhere), "lie elsewhere", id="link"),
        pytest.param(with_weights(take_from_a_file), "aren't in the file", id="raw file"),
        pytest.param(with_weights(take_from_a_view), "aren't in the file", id="view"),
        pytest.param(with_weights(pack_zeros), "aren't in the file", id="packed"),
        pytest.param(with_weights(name_what_is_nowhere), "aren't in the file", id="nowhere"),
    ],
)
def test_a_network_that_reaches_for_more_than_its_file_is_refused(content, change, message):
    with pytest.raises(LSTMStrategyError, match=message):
        read_network(rewritten(content, change), saved_with="3")


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
