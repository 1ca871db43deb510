"""The engines that a model can be run by."""

from enum import StrEnum


class Engine(StrEnum):
    """What makes the predictions of a model.

    With ONNX a model is converted before it serves, and compared with itself; where that does not
    go well it is served by NATIVE all the same, and the reason is told.
    """

    NATIVE = "Native"
    ONNX = "ONNX"
