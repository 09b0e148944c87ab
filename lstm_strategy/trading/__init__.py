"""What happens inside Cerebro."""
