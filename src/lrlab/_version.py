"""The version of lrlab, alone in a file, so that every package can import it."""

__version__ = "0.1.0"
