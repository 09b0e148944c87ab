"""`python -m lstm_strategy.cli` is the command `lstm-strategy`."""

from lstm_strategy.cli import main

main()
