"""Files and folders that appear whole or not at all."""

import pytest

from lstm_strategy.support.files import replace_folder, write_json, write_whole


def file_names(folder):
    return [file.name for file in folder.iterdir()]


def test_a_file_that_can_not_be_written_leaves_the_earlier_one_and_nothing_else(tmp_path):
    write_json(tmp_path / "run.json", {"seed": 7})
    with pytest.raises(TypeError):
        write_json(tmp_path / "run.json", {"seed": object()})
    with pytest.raises(TypeError):
        write_whole(tmp_path / "run.json", 5)
    assert file_names(tmp_path) == ["run.json"]
    assert (tmp_path / "run.json").read_text() == '{\n  "seed": 7\n}\n'


def test_a_folder_takes_the_place_of_the_earlier_one_with_all_its_files(tmp_path):
    for name in ("old.txt", "new.txt"):
        with replace_folder(tmp_path / "model") as unfinished:
            (unfinished / name).write_text(name)
    assert file_names(tmp_path) == ["model"]
    assert file_names(tmp_path / "model") == ["new.txt"]


def test_a_folder_stays_as_it_was_where_the_new_one_is_not_finished(tmp_path):
    with replace_folder(tmp_path / "model") as unfinished:
        (unfinished / "old.txt").write_text("old")
    with pytest.raises(KeyboardInterrupt), replace_folder(tmp_path / "model") as unfinished:
        (unfinished / "new.txt").write_text("half")
        raise KeyboardInterrupt
    assert file_names(tmp_path) == ["model"]
    assert file_names(tmp_path / "model") == ["old.txt"]
