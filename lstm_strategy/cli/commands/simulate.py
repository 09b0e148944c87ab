"""The command `simulate`."""

from pathlib import Path
from typing import Annotated

import typer

from lstm_strategy.cli import options as opt
from lstm_strategy.cli.out_folder import keep_results
from lstm_strategy.errors import SettingsError

_OPTIONS = {"kind": "KIND", "n_bars": "--bars", "n_assets": "--assets", "seed": "--seed"}


def simulate(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="The rule of the market: remembered_news, regimes, garch, noise or perpetual.",
            autocompletion=opt.complete_from(
                "remembered_news", "regimes", "garch", "noise", "perpetual"
            ),
        ),
    ],
    n_bars: Annotated[
        int, typer.Option("--bars", metavar="N", help="How many bars of each market.")
    ] = 3_000,
    n_assets: Annotated[
        int | None,
        typer.Option(
            "--assets",
            metavar="N",
            help="How many markets of the rule, which share what it remembers.",
            show_default="1",
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option("--seed", metavar="N", help="Another number makes other markets of the rule."),
    ] = 0,
    params: Annotated[
        str | None,
        typer.Option(
            "--params",
            metavar="NAME=NUMBER,...",
            help="Parameters of the rule, such as strength=0.5,vol=0.02.",
            show_default="those of the rule",
        ),
    ] = None,
    out_dir: opt.FolderOut = Path("simulated"),
    force: opt.ForceFiles = False,
) -> None:
    """Make bars of markets whose right answer is known.

    Each market is a file such as A01.csv, so that --out is a BARS for other commands; one market
    alone is named after its KIND. The exposure that whoever knows the rule would hold over the next
    bar lies in the folder oracle, in a file of the same name; other commands pass it over.

    Examples:
        lstm-strategy simulate remembered_news --assets 12 --out panel
        lstm-strategy simulate garch --bars 5000 --seed 3 --params vol=0.02
    """
    from lstm_strategy.bars import ORACLE_FOLDER, SimulatedMarket, simulate_bars
    from lstm_strategy.cli.output import tell
    from lstm_strategy.support import count_of, name_options, write_whole

    with name_options(_OPTIONS):
        made = simulate_bars(
            kind, n_bars, seed=seed, n_assets=n_assets, **_parse_params(params or "")
        )
    if isinstance(made, SimulatedMarket):
        bars, oracle = {kind: made.bars}, {kind: made.oracle}
    else:
        bars, oracle = dict(made.bars), made.oracle
    for folder, tables in ((out_dir / ORACLE_FOLDER, oracle), (out_dir, bars)):
        with keep_results(folder, is_forced=force) as temporary:
            for symbol, table in tables.items():
                write_whole(temporary / f"{symbol}.csv", table.to_csv())
    markets = count_of(len(bars), "market")
    tell(
        f"Wrote {markets} of {n_bars:,} bars to {out_dir}/, and what to hold to "
        f"{out_dir / ORACLE_FOLDER}/."
    )


def _parse_params(params: str) -> dict[str, float]:
    parsed: dict[str, float] = {}
    for pair in filter(None, params.split(",")):
        name, _, number = (part.strip() for part in pair.partition("="))
        try:
            value = float(number)
        except ValueError:
            raise SettingsError(
                f"--params takes NAME=NUMBER, joined by commas, got {params!r}. Write for instance "
                "strength=0.5,vol=0.02."
            ) from None
        if name in parsed:
            raise SettingsError(f"--params gives {name} twice. Keep one of them.")
        parsed[name] = value
    return parsed
