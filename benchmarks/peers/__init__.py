"""The peers of the ensemble: each a function from a problem and runs to a job that trains them all.

Every job gives the mean training loss and the score of the last epoch of every run, and works out
both after every epoch, as lrlab does.
"""
