"""From a question that was read to its answer: exact quotes, or a language model's checked words."""
