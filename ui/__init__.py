"""The browser page: a chat over the documents, in Streamlit. Start it with `footnote chat`."""
