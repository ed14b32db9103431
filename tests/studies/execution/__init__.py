"""Tests of the execution of studies."""
