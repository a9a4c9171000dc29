"""Compares Footnote with plain llama-index over the same documents and with the same models.

`engines` makes both sides, `llamaindex` the peers, `scripted_model` the language model that both
sides ask, `comparison` asks and computes, `tables` prints. It is not in the wheel.
"""
