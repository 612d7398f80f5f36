"""Evidence for the report's answers, one module a topic."""
