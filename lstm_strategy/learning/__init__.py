"""What the network sees, is asked, and remembers."""
