# %% [markdown]
# ### The weights at the minima
#
# Task 4b shows weights where early stopping ended the runs. Here they are shown at the minima of $J$, where the
# penalty alone decides.

# %%
views = weights.views(optimal, images.train)
views_run = weights.views({lam: r.last for lam, r in runs.items()}, images.train)
shown = (1.0, 0.01, 0.001, 0.00001)
show(figures.weights({lam: optimal[lam].w for lam in shown}), "Figure A1", r"""
    **With less penalty the weights turn to noise.** Weights of the ten digits at the minimum of $J$, 28
    by 28 pixels; red is positive, blue negative; one scale a row.
        check: np.diff([views[lam].roughness for lam in shown]) > 0 and views[0.00001].roughness > 0.9
""", r"""
    Four rows of ten images. Lambda 1: smooth, blurred digits; 0.01: the same with finer strokes; 0.001:
    speckled, digits hard to see; 0.00001: speckles alone. The roughness rises from
    {{views[1.0].roughness:.2f}} to {{views[0.00001].roughness:.2f}}.
        check: np.diff([views[lam].roughness for lam in shown]) > 0
""")

# %%
random_sums = {n: weights.sums(images.train, n) for n in (1, 10, 1_000, 20_000)}
residual = {lam: weights.effective_images(optimal[lam], images.train) for lam in (1.0, 0.00001)}
header = ("λ", "minimum: roughness", "likeness", "run of 4c: roughness", "likeness")
table(header, weights.view_rows(views, views_run), "Table A1", r"""
    **The smaller the penalty, the rougher the weights and the less like the digits.** Roughness of the
    weights, and the correlation of each class's weights with its centred mean image, averaged over the
    classes (likeness).
        check: np.diff([v.roughness for v in views.values()]) > 0
        check: np.diff([v.likeness.mean() for v in views.values()]) < 0
""")
say(r"""
    The run of task 4c without a penalty, with a roughness of {{views_run[0.0].roughness:.3f}}, is far
    from the {{views[0.00001].roughness:.3f}} of the smallest penalty (Table A1), because it was stopped
    early: when it continues, the roughness rises to {{weights.roughness(far[200].w):.3f}} after 200
    epochs and to {{weights.roughness(far[600].w):.3f}} after 600.
        check: views_run[0.0].roughness < weights.roughness(far[200].w) < weights.roughness(far[600].w)
        check: 3 * views_run[0.0].roughness < views[0.00001].roughness

    *The control of task 4b.* The first 4,000 training images are centred and projected on the 200
    leading principal directions; along each they are multiplied by one factor, so that the variances
    stand as they were, are all equal, or stand in reversed order, with the same sum. Then $J$ is
    minimised for $\lambda = 1$ and 0.001. Such a change of the inputs leaves the classes as separable
    as they were.

    *An explanation that fails.* A small penalty leaves the weights to a few images that are still
    misclassified, and, the argument goes, a sum over few images is rough. But sums of $n$ centred
    images with random coefficients are about equally rough for every $n$:
    {{task4.listed(s.mean for s in random_sums.values())}} for $n$ = 1, 10, 1,000 and 20,000 (standard
    deviation from sum to sum at most {{max(s.deviation for s in random_sums.values()):.2f}}). This is
    far less than the roughness of the weights for $\lambda = 0.00001$.
        check: max(s.mean for s in random_sums.values()) - min(s.mean for s in random_sums.values()) < 0.04
        check: max(s.mean + 3 * s.deviation for s in random_sums.values()) < views[0.00001].roughness
    Nor are the images few: there the residual $Y - \hat{Y}$ is spread over the equivalent of
    {{residual[0.00001]:,.0f}} images, measured as $\left(\sum_n r_n\right)^2$ over $\sum_n r_n^2$ for
    its squared norms $r_n$.
        check: residual[0.00001] > 1000
""")

# %% [markdown]
# ### Pixels that never vary

# %% [hidden]
dark = weights.dark_pixels(images.train)
whole = train(SoftmaxRegression(0.1), images, learning_rate=0.01, epochs=2, shuffle=False)
apart = weights.opposite([whole.last, *optimal.values()], dark)
say(r"""
    Where a pixel is black, $x_i = -1$, in every training image, its gradient is the negative of that of
    the bias's weight. Both weights start at 0 and the penalty shrinks both alike, so that they stay
    opposite; in Figure 1 these pixels are the even frame around the digits. There are {{len(dark)}} of
    them. In a run that trains every column (two epochs, $\lambda = 0.1$, zero initial weights, no
    shuffling) and at the nine minima, their weights are the negative of the bias's weights to within
    {{sci(apart, 0)}}.
        check: len(dark) == 88 and apart < 1e-7
    The shuffled runs make use of this and train one column for all of these. The bias is thus spread
    over {{len(dark) + 1}} equal weights, so that the penalty on it is {{len(dark) + 1}} times weaker
    than on a single weight of the same effect: with $m$ equal weights $b / m$ in place of one weight
    $b$, the sum of squares is $b^2 / m$.
        check: apart < 1e-7
""")

# %% [markdown]
# ### Penalties at equal steps

# %% [hidden]
header = ("λ", "validation accuracy", "training accuracy", "validation loss", "held-out accuracy")
table(header, task4.step_rows(steps), "Table A2", r"""
    **Every penalty lowers every accuracy.** With a penalty minus without, after 20 epochs. The first
    three columns: mean and standard error over {{steps[1.0].validation.pairs}} seeds of the shuffles,
    paired, of the mean over the last fifth of the run, in float32. The last column: last weights, mean
    over the seeds, with the standard error over images. Accuracy in percentage points, loss in
    thousandths of a nat.
        check: [s.validation.high for s in steps.values()] < np.zeros(4)
        check: [s.training.high for s in steps.values()] < np.zeros(4)
        check: [s.held.high for s in steps.values()] < np.zeros(4)
""")

# %% [markdown]
# ### The minima of J and their proof
#
# $J$ is the sum of a convex function and $\lambda R$. For the gradient $g$ at $w$ and any weights $v$, therefore,
#
# $$J(v) \ge J(w) + \sum_{k,i} g_{ki} (v_{ki} - w_{ki}) + \lambda R(v - w).$$
#
# The right side is smallest for $v - w = -\frac{1}{2 \lambda} g$. Hence $J(w)$ is at most $\frac{1}{4 \lambda} R(g)$
# above the minimum, and $w$ is at most $\frac{1}{2 \lambda} \lVert g \rVert$ away from it (Boyd and Vandenberghe,
# 2004, section 9.1.2).
#
# The weights at the minima are loaded from `data/optima.npz`, which `make optima` computes by Newton's method. They
# need not be trusted: their gradients are computed when the report is made, and with them the bounds of Table A3.
# The weights of the long run are loaded from `data/long_run.npz`. Everything that the report says about
# them is computed from these weights; that they are those of such a run is not proven, but `make optima` makes
# the run again. Both files are checked for their SHA-256, their shapes and for numbers that are not finite.

# %% [hidden]
proofs = dict(zip(optimal, optima.certificates(list(optimal.values()), images.train), strict=True))
J = {lam: model.objective(*images.train) for lam, model in optimal.items()}
gap, away = (max(proof[i] for proof in proofs.values()) for i in (1, 2))
header = ("λ", "J", "norm of its gradient", "above the minimum", "distance to it")
table(header, optima.proof_rows(proofs, J), "Table A3", r"""
    **The stored weights are at the minima.** $J$ and the norm of its gradient, and how far, at most,
    $J$ is above its minimum and the weights are away from it. No $J$ is more than {{sci(gap, 0)}}
    above, no weights are more than {{sci(away, 0)}} away.
        check: gap < 1e-10 and away < 1e-6
""")

# %% [hidden]
parts = ("training", "validation", "held-out")
header = ("λ", "norm", *(f"{measure}: {part}" for measure in ("loss", "accuracy") for part in parts))
table(header, task4.minima_rows(at, optimal), "Table A4", r"""
    **The nine minima.** The norm of the weights; the loss without the penalty, in nats, on the three
    sets of images; the accuracy on them. The loss is lowest for $\lambda = 0.001$ on the validation and
    on the held-out images.
        check: at[0.001].validation.loss <= np.array([s.validation.loss for s in at.values()])
        check: at[0.001].held.loss <= np.array([s.held.loss for s in at.values()])
""")
say(r"""
    *Where the rule of task 4d holds.* The weights at the end of task 3b are nearest to the minimum for
    $\lambda = {{task4.plain(near.lam)}}$, still {{near.distance:.0%}} of its norm away, while the rule
    gives $\lambda = {{near.rule:.4f}}$. The rule holds only where the curvature is low: judged by the
    norm of the weights along the five bands of Table 2, the run corresponds to $\lambda$ =
    {{task4.listed(near.bands, 4)}}, which approaches the rule as the variance falls. This is expected:
    where $\alpha h T$ is large, the updates have fitted the direction almost completely, and the
    penalty that leaves the same share is smaller than $\frac{1}{2 \alpha T}$.
        check: near.lam < near.rule / 2 and 0.1 < near.distance < 0.3
        check: np.diff(near.bands[:4]) > 0 and near.bands[4] > near.bands[2] and near.bands[0] < near.rule / 3
        check: 0.75 * near.rule < near.bands[4] < near.rule

    *Without a penalty there is no minimum to converge to.* Weights exist that classify all 20,000
    training images correctly, as verified in whole numbers; multiplied by a growing factor, they bring
    the training cost as close to 0 as one likes. They misclassify {{free.missed:.1%}} of the validation
    images, and as an image's loss is at least the lead of its largest logit over that of its class, the
    validation loss grows at least in proportion to the factor.
        check: free.margin > 0 and free.missed > 0
        check: free.behind > 0 and free.loss >= free.behind * np.array([1e3, 1e4, 1e5])
""")

# %% [hidden]
stops = {lam: task4.stop(runs[lam], optimal[lam], images.train) for lam in task4.PENALTIES}
header = ("λ", "updates", "J", "above its minimum", "distance", "norm: end of run", "20 epochs", "minimum")
table(header, task4.stop_rows(runs, stops, (stopped, after, still)), "Table A5", r"""
    **The run with $\lambda = 0.001$ ended farthest from its minimum.** $J$ on all training images with
    the last weights, its excess over the minimum, the distance of the weights in units of the norm at
    the minimum; the norm where the run ended, after 20 epochs, and at the minimum.
        check: stops[0.001].distance > max(stops[lam].distance for lam in (0.01, 0.1, 1.0))
        check: stops[0.001].excess > max(stops[lam].excess for lam in (0.01, 0.1, 1.0))
""")
say(r"""
    The run with $\lambda = 0.001$ ended farthest from its minimum (Table A5): $J$ is
    {{stops[0.001].excess:.1%}} above it and the weights are {{stops[0.001].distance:.0%}} of its norm
    away. Those with 0.01, 0.1 and 1 were close to it in $J$, within
    {{max(stops[lam].excess for lam in (0.01, 0.1, 1.0)):.1%}}. This is expected: along directions in
    which the images hardly vary only the penalty acts, and it needs some $\frac{1}{2 \alpha \lambda}$
    updates. These are {{1 / 0.02 / 0.01:,.0f}} for $\lambda = 0.01$, of which the run made
    {{runs[0.01].steps:,}}, and {{1 / 0.02 / 0.001:,.0f}} for 0.001, of which it made
    {{runs[0.001].steps:,}}.
        check: stops[0.001].excess > 0.05 and stops[0.001].distance > 0.2
        check: max(stops[lam].excess for lam in (0.01, 0.1, 1.0)) < 0.02
        check: runs[0.001].steps < 1 / 0.02 / 0.001 / 4 and runs[0.01].steps > 1 / 0.02 / 0.01
""")

# %% [markdown]
# ### Calibration and errors in detail

# %%
groups = errors.reliability(cases)
picture = figures.reliability(groups, *errors.wilson(groups.hits, groups.n))
more = groups.hits / groups.n - groups.confidence
show(picture, "Figure A2", r"""
    **In every group of more than a hundred images the accuracy is above the confidence.** Share of
    images classified correctly against the probability given to the predicted class, in ten groups of
    equal width; above each point the number of images, bars are Wilson's 95% intervals. The expected
    calibration error (Naeini et al., 2015) is {{errors.calibration_error(groups):.3f}}.
        check: more[groups.n > 100] > 0
""", r"""
    Points with intervals beside a dashed diagonal; {{(more > 0).sum()}} of {{len(more)}} lie above it.
        check: (more > 0).sum() > len(more) / 2
""")

# %%
show(figures.confusion(confused.counts, confused.low, confused.high), "Figure A3", r"""
    **Four of the 45 pairs of digits account for {{confused.in_pairs:.0%}} of the errors.** Left: how
    many validation images of each digit (row) are classified as each digit (column), the correct ones
    in blue. Right: each digit's accuracy with Wilson's 95% interval.
        check: confused.in_pairs > 3 * 4 / 45
""", r"""
    A ten by ten table of counts beside ten points with intervals. Accuracy is highest for
    {{confused.easiest}} and lowest for {{confused.hardest}}.
        check: confused.high[confused.hardest] < confused.low[confused.easiest]
""")

# %%
worst = errors.costliest(cases, 16)
show(figures.costly(mnist.test_images, cases, worst), "Figure A4", r"""
    **These sixteen images cost as much as the {{cost.cheapest:,}} that cost least.** The validation
    images of the largest loss: above each its digit and the predicted one, below it the loss in nats.
        check: cost.cheapest > 1000
""", r"""
    Sixteen handwritten digits, all misclassified: {{errors.cases_list(cases, worst)}}.
        check: cases.read[worst] != cases.digit[worst]
""")

# %% [hidden]
moved = [errors.shifted_accuracy(soft.best, images.validation, pixels) for pixels in range(5)]
negative = errors.negative_accuracy(soft.best, mnist.test_images, images.validation.Y)
permuted = errors.permuted_gradient_error(soft.best, images.validation)
say(r"""
    *What a linear model can see.* A logit is a weighted sum of pixels and does not depend on which
    pixels are neighbours: if the pixels of all images are permuted in the same way, the gradient is
    permuted in that way (verified to {{sci(permuted, 0)}}), and so is every step of training that
    starts from zero.
        check: permuted < 1e-12
    The model responds to ink in fixed places. Of the validation images it classifies {{moved[0]:.1%}}
    correctly; when they are moved by 1, 2, 3 or 4 pixels (mean over up, down, left and right) it is
    {{moved[1]:.1%}}, {{moved[2]:.1%}}, {{moved[3]:.1%}} and {{moved[4]:.1%}}, and with black and white
    exchanged {{negative:.1%}}, far fewer than by guessing.
        check: np.diff(moved) < 0 and negative < 0.02
""")
