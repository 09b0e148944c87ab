"""Tools that run by hand, or for the Makefile."""
