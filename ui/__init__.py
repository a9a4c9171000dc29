"""The browser page: a chat over the documents, in Streamlit. `streamlit run ui/app.py`, or `footnote chat`."""
