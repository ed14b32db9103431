"""Where runs are stored: one SQLite file, one writer, any number of readers."""
