"""The evaluation: ask a set of questions, score the answers, and say how sure the estimates are.

The package hides a builtin: import names from it (`from eval.run import run`), never the package.
"""
