"""The evaluation: a set of questions, what the bot makes of them, and how sure the figures are.

It shares its name with a builtin: import names from it (`from eval.run import run`), never the package.
"""
