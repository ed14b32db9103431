"""Tests of the plans of studies."""
