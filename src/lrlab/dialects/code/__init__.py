"""A schedule as the Python program that builds it in another library."""

from lrlab.dialects.code.writing import to_code as to_code

__all__ = ["to_code"]
