"""The execution of a study: engine, backends, and the runner that trains and stores its runs."""
