"""The store of studies and runs: one SQLite file, one writing process, any number of readers."""
