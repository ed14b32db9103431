"""What people see of schedules and studies: text and pictures. Views change nothing."""
