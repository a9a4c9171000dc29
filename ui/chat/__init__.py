"""The chat: the conversation, its sidebar, the source pane and the thread that answers."""
