"""The plan of a study: its schedules, grid, seeds and phases, and the selection of settings."""
