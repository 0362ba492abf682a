"""Hostile inputs: generators (each input is a function of seed and index) and the watch that feeds them to a target.

`python -m benchmarks.fuzz` runs them at length; the tests run the same generators and targets on fewer inputs.
"""
