"""What `doctor` prints."""

from lstm_strategy.cli.diagnostics import Environment, Estimate, Speed
from lstm_strategy.cli.output.console import say
from lstm_strategy.cli.output.tables import ResultTable, print_table
from lstm_strategy.support import count_of


def print_environment(environment: Environment) -> None:
    """Print what is installed, and which kernels compute an LSTM."""
    table = ResultTable(["what", "here"], sentences=["here"])
    table.add_row("Python", environment.python)
    for library, version in environment.versions.items():
        table.add_row(library, version)
    table.add_row("Keras backend", environment.backend)
    table.add_row("devices", ", ".join(environment.devices))
    table.add_row("CPUs", str(environment.n_cpus))
    kernels = {"cuDNN's LSTM kernel": environment.cudnn, "fused CPU kernel": environment.fused_cpu}
    for name, choice in kernels.items():
        table.add_row(name, f"{'used' if choice.is_used else 'not used'}: {choice.reason}")
    table.add_row("ONNX Runtime", "installed" if environment.has_onnxruntime else "not installed")
    print_table(table)


def print_speed(speed: Speed) -> None:
    """Print how fast a network was."""
    say(
        f"Measured on {speed.n_bars:,} bars: training starts after "
        f"{speed.startup_seconds:.1f} s, then a network learns from "
        f"{speed.targets_per_second:,.0f} bars a second. Forecasting does "
        f"{speed.forecast_bars_per_second:,.0f} bars a second, features included."
    )


def print_estimate(estimate: Estimate, what: str, *, n_cpus: int) -> None:
    """Print how long a walk forward would take."""
    shortest, longest = map(_duration, (estimate.shortest_seconds, estimate.longest_seconds))
    jobs = count_of(estimate.n_jobs, "process", "processes")
    folds = count_of(estimate.n_folds, "fold")
    say(
        f"A walk forward through {what}: {folds} in {jobs} would take "
        f"{shortest} if every training stops as early as it can, {longest} if none stops early."
    )
    if estimate.n_jobs > n_cpus:
        say(f"With {n_cpus} CPUs for {jobs} it will take longer.")


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6_000 else f"{seconds / 3_600:.1f} h"
