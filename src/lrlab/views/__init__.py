"""What people see of a study: text and pictures. Views read results and change nothing."""
