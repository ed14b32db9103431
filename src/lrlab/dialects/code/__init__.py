"""A schedule as the Python program that builds it in another library."""

from lrlab.dialects.code.writing import write as write

__all__ = ["write"]
