"""What the answers rest on: one module a topic."""
