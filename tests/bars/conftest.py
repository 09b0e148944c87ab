"""Its folder holds `bar_files`, which the tests of the rooms inside import."""
