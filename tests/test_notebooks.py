"""Every notebook is a pair: a script that people edit, and the same with its outputs.

After an edit: make notebooks ARGS=notebooks/NAME.py
"""

import importlib.util
import io
import re

import jupytext
import nbformat
import pytest
from notebook_runs import FOLDER, QUICK, run_script
from PIL import Image

SCRIPTS = sorted(FOLDER.glob("*.py"))
MACHINE_PATH = re.compile(r"/(home|root|tmp|work|Users|var)/|[A-Z]:\\\\|site-packages")


@pytest.fixture(params=SCRIPTS, ids=lambda script: script.stem)
def script(request):
    return request.param


def code_of(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def outputs_of(notebook):
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def pictures_of(notebook):
    return [out for out in outputs_of(notebook) if "image/png" in out.get("data", {})]


def test_scripts_and_notebooks_are_pairs():
    assert SCRIPTS
    assert {file.stem for file in FOLDER.glob("*.ipynb")} == {file.stem for file in SCRIPTS}


def test_a_notebook_holds_the_code_and_text_of_its_script(script):
    notebook = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    expected = jupytext.read(script)
    assert code_of(notebook) == code_of(expected)
    assert [cell.source for cell in notebook.cells] == [cell.source for cell in expected.cells]


def test_a_notebook_was_run_from_top_to_bottom_and_shows_what_came_out(script):
    notebook = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    assert len(outputs_of(notebook)) >= len(counts) // 2
    assert pictures_of(notebook)
    assert not [output for output in outputs_of(notebook) if output.output_type == "error"]


def test_the_outputs_name_no_machine(script):
    notebook = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    for output in outputs_of(notebook):
        data = {kind: text for kind, text in output.get("data", {}).items() if kind != "image/png"}
        found = MACHINE_PATH.search(str(output.get("text", "")) + str(data))
        assert not found, f"an output holds {found[0]!r}"


def test_a_notebook_is_small_enough_to_be_shown_on_the_web(script):
    assert script.with_suffix(".ipynb").stat().st_size < 1_500_000


def test_a_notebook_begins_with_a_title_a_question_and_a_picture(script):
    notebook = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    gallery = load_gallery()
    title, question = gallery.read_opening(script.with_suffix(".ipynb"))
    assert title and question.endswith("?")
    first_run = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert any("image/png" in output.get("data", {}) for output in first_run.outputs)


def test_the_gallery_has_a_card_and_a_thumbnail_for_each_notebook(tmp_path):
    gallery = load_gallery()
    files = [script.with_suffix(".ipynb") for script in SCRIPTS]
    text = gallery.gallery_text(files)
    for file in files:
        assert f"]({file.name})" in text and f"]({file.stem}.png)" in text
        thumbnail = gallery.make_thumbnail(file)
        assert Image.open(io.BytesIO(thumbnail)).size == gallery.THUMBNAIL_SIZE
        assert len(thumbnail) < 100_000


@pytest.mark.parametrize("reader", ["read_opening", "make_thumbnail"])
def test_a_notebook_without_title_or_picture_is_refused_by_the_gallery(reader, tmp_path):
    cells = [nbformat.v4.new_markdown_cell("Some text."), nbformat.v4.new_code_cell("1")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "bare.ipynb")
    with pytest.raises(LookupError, match=r"bare\.ipynb must"):
        getattr(load_gallery(), reader)(tmp_path / "bare.ipynb")


def load_gallery():
    file = FOLDER.parent / "docs" / "site_gallery.py"
    spec = importlib.util.spec_from_file_location("site_gallery", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_notebook_holds_nothing_that_only_the_tests_need(script):
    code = "\n".join(code_of(jupytext.read(script)))
    assert not re.search(r"environ|logging|QUICK|filterwarnings", code)


def warnings_of(notebook):
    return [out.text for out in outputs_of(notebook) if out.get("name") == "stderr"]


def test_a_notebook_warns_of_nothing_and_holds_no_bar_that_still_runs(script):
    notebook = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    assert warnings_of(notebook) == []
    for output in outputs_of(notebook):
        assert "<progress" not in str(output.get("data", {}).get("text/html", ""))


@pytest.mark.slow
def test_the_script_runs(script, tmp_path):
    notebook = run_script(script, tmp_path, QUICK[script.stem])
    kept = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    # one epoch may teach nothing, and then nothing is traded
    warnings = [text for text in warnings_of(notebook) if "sent no order: it held" not in text]
    assert warnings == []
    assert len(pictures_of(notebook)) == len(pictures_of(kept))
