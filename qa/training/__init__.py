"""Trains the reader and the checking model on public question sets.

    python -m qa.training --data FOLDER --out FOLDER

Nothing here is needed to ask a question, and nothing outside this package imports it.
"""
