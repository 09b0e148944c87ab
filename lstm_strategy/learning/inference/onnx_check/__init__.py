"""An ONNX model looked at before anything runs it: what it holds, and how much it would take."""

from lstm_strategy.learning.inference.onnx_check.content import check_onnx

__all__ = ["check_onnx"]
