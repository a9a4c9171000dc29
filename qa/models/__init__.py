"""The models of this machine: the embedder and the two cross-encoders."""
