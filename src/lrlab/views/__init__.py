"""Views of schedules and studies: text, tables, plots and files."""
