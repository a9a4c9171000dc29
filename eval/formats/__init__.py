"""Other people's question sets, each read into documents and questions of ours."""
