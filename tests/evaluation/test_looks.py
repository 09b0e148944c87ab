"""The looks of lines: one for each strategy, apart by more than their colours."""

from lstm_strategy.evaluation.looks import choose_looks, choose_market_looks


def test_no_two_strategies_of_a_chart_look_alike():
    names = [f"s{number}" for number in range(30)]
    looks = choose_looks(names, own="s0", held=["s1"])
    assert len(set(looks.values())) == 30


def test_only_what_a_picture_is_about_is_a_whole_line_and_neighbours_are_broken_differently():
    names = ["Mine", "Held", *"abcdefgh"]
    looks = choose_looks(names, own="Mine", held=["Held"])
    assert [name for name, look in looks.items() if not look.strokes] == ["Mine"]
    assert len({looks[name].strokes for name in ("Held", "a", "b", "c", "d")}) == 5


def test_the_look_of_a_strategy_does_not_depend_on_what_comes_after_it():
    few = choose_looks(["Mine", "a", "b"], own="Mine")
    many = choose_looks(["Mine", "a", "b", "c", "Held"], own="Mine", held=["Held"])
    assert {name: many[name] for name in few} == few


def test_markets_look_different():
    assert len(set(choose_market_looks(28))) == 28
