"""Tests of the store of studies."""
