"""What a study trains: its schedules, grid, seeds and phases."""
