"""How a study is trained: which engine, in which processes, phase after phase."""
