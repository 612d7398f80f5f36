"""Check the report's algebra: its derivations, read as LaTeX and evaluated in SymPy."""
