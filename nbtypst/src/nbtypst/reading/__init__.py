"""Read a notebook: from its cells to pandoc's blocks, checked and made safe."""
