"""Tests of sessions don't wait for the disk."""

import os

import pytest


@pytest.fixture(autouse=True)
def disk_without_waiting(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
