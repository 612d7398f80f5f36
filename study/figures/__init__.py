"""The report's figures. Each function takes data, of any run, and returns a matplotlib Figure.

`plot` shows one run. The other functions take runs (`loss`, `accuracy`, `compare`, `lambdas`), weights and
images (`weights`, `image_rows`, `costly`), or numbers that an experiment measured. Dark blue and solid is
training, orange and dashed validation, throughout; a stronger penalty has a lighter colour. Every figure is
as wide as the report has its pictures, on white.
"""

from study.figures.classes import confusion, reliability
from study.figures.experiments import by_batch, parting, spike_sizes, spikes
from study.figures.images import costly, image_rows, weights
from study.figures.penalty import norms, shares
from study.figures.runs import accuracy, compare, lambdas, loss, plot
from study.figures.style import STYLE, WIDTH
