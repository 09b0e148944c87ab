"""`python -m lstm_strategy` is the command `lstm-strategy`."""

from lstm_strategy.cli import main

main()
