"""Commands where only some of the package's requirements are installed."""

import pytest

from lstm_strategy.cli import main


@pytest.mark.parametrize(
    ("module", "library"),
    [("matplotlib.figure", "matplotlib"), ("sklearn", "scikit-learn"), ("joblib", "joblib")],
)
def test_a_library_that_is_missing_is_named_with_how_to_get_it(
    module, library, monkeypatch, capsys
):
    def lack(**_):
        raise ModuleNotFoundError(name=module)

    monkeypatch.setattr("lstm_strategy.cli.app.app", lack)
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    said = " ".join(capsys.readouterr().err.split())
    assert said == (
        f"error: this needs {library}, which isn't installed here. "
        f"Install it: pip install {library}."
    )


def test_a_module_of_the_users_own_that_is_missing_stays_an_error_of_python(monkeypatch):
    def lack(**_):
        raise ModuleNotFoundError(name="my_indicators")

    monkeypatch.setattr("lstm_strategy.cli.app.app", lack)
    with pytest.raises(ModuleNotFoundError):
        main()
