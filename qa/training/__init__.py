"""How the reader was made: public questions, a cross-encoder trained on them, and the weights that combine it.

    python -m qa.training --data FOLDER --out FOLDER

Nothing here is needed to ask a question.
"""
