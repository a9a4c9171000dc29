"""Answers: exact quotes of the documents, or a language model's checked words."""
