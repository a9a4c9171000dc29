"""A question that was read becomes an answer: in the documents' sentences, or in a language model's words, checked."""
