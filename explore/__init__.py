"""Explore: a pad to draw on, a slider along the penalty, a bench to train at, and views of objects.

Import from the modules: `pad` and `bench` need Jupyter's widgets, `views` does not.
"""
