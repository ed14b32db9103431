"""Tests of the statistics of studies."""
