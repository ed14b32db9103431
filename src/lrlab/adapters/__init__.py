"""The scheduler in other libraries' trainers, where passing it to them is not enough.

One module for each, imported by its name (``from lrlab.adapters import lightning``), so that none
needs another's library.
"""
