"""Write in a notebook: sentences, figures and tables whose numbers are computed and checked."""
