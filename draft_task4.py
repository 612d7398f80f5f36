# %% [markdown]
# ## Task 4
#
# ### Task 4a: The penalised gradient
#
# *Derive the gradient of softmax regression with an L2 penalty, and the update that it gives.*
#
# **The penalty adds $2 \lambda w$ to the gradient, so that each update first multiplies the weights by
# $1 - 2 \alpha \lambda$.**
#
# The penalty is the square of the norm of all weights, the bias's included,
# $R(w) = \sum_{k=1}^K \sum_{i=1}^{I+1} w_{ki}^2$. The penalised cost is $J = C + \lambda R$, and its derivative is
# the sum of two derivatives. The first is that of equation (6), averaged over the examples:
#
# $$\frac{\partial C}{\partial w_{kj}} = -\frac{1}{N} \sum_{n=1}^N x_j^n (y_k^n - \hat{y}_k^n).$$
#
# In the second, only the term with $k' = k$ and $i = j$ depends on $w_{kj}$:
#
# $$\frac{\partial w_{k'i}^2}{\partial w_{kj}} = \begin{cases} 2 w_{kj} & \text{if } k' = k \text{ and } i = j \\ 0 & \text{otherwise} \end{cases}, \quad \frac{\partial R}{\partial w_{kj}} = 2 w_{kj}.$$
#
# In components, therefore,
#
# $$\frac{\partial J}{\partial w_{kj}} = -\frac{1}{N} \sum_{n=1}^N x_j^n (y_k^n - \hat{y}_k^n) + 2 \lambda w_{kj}, \tag{7}$$
#
# and as a matrix, with the arrays of Table 1,
#
# $$\frac{\partial J}{\partial w} = -\frac{1}{N} X^\top (Y - \hat{Y}) + 2 \lambda w. \tag{8}$$
#
# Gradient descent subtracts $\alpha$ times this gradient:
#
# $$w \leftarrow w - \alpha \frac{\partial J}{\partial w} = (1 - 2 \alpha \lambda) w - \alpha \frac{\partial C}{\partial w}. \tag{9}$$
#
# The factor $y_k^n - \hat{y}_k^n$ says what an update does. It raises the logit of the correct class and lowers
# those of all other classes, each in proportion to the probability that the class was wrongly given; the
# weight $w_{kj}$ changes in proportion to the input $x_j^n$ that it multiplies.

# %% [hidden]
at_zero, trained = (errors.wrong_classes(m, images.train) for m in (SoftmaxRegression(), soft.best))
say(r"""
    The gradient involves all outputs, not only the largest or that of the correct class. Of the squared
    gradient with respect to the logits, $\sum_k (y_k - \hat{y}_k)^2$, the nine wrong classes carry
    {{at_zero.mean:.0%}} at zero weights and, on average over the training images, {{trained.mean:.0%}}
    at the weights of task 3b.
        check: at_zero.high - 0.1 < 1e-9 and 0.1 - at_zero.low < 1e-9 and trained.mean > 0.3
""")

# %% [markdown]
# ### Task 4b: The weights as images
#
# *Train with $\lambda = 0$ and with $\lambda = 1$, and show the weights of each digit as an image. Why are the
# weights with $\lambda = 1$ less noisy?*

# %%
optimal = optima.load_optima()
models = {1.0: runs[1.0].last, 0.0: soft.last, 0.00001: optimal[0.00001]}
seen, axes = weights.views(models, images.train), weights.directions(images.train)
bands = weights.bands(axes, list(models.values()))
control = weights.shrinkage(images.train, axes)

# %% [hidden]
say(r"""
    **Because a penalty acts most on the directions of pixel space along which the images vary least,
    and these directions are the rough ones. With $\lambda = 1$ little is left but the digits' mean
    images.**
        check: bands[0].shares[0] > 0.8 and bands[4].shares[0] < 0.01 and bands[4].shares[2] > 0.5
        check: bands[0].roughness < 0.2 and bands[4].roughness > 0.9 and seen[1.0].likeness > 0.9

    *Measure.* The roughness of an image is the mean squared difference of neighbouring pixels, divided
    by twice the mean square of all pixels: 0 for a constant image and 1 for independent noise of mean
    0, at any scale. It is {{seen[0.0].roughness:.3f}} for $\lambda = 0$ and {{seen[1.0].roughness:.3f}}
    for $\lambda = 1$ (Figure 1).
        check: seen[1.0].roughness < 0.8 * seen[0.0].roughness
""")

# %%
picture, top = figures.weights({lam: models[lam].w for lam in (0.0, 1.0)}), weights.largest(models)
show(picture, "Figure 1", r"""
    **A strong penalty leaves smooth templates of the digits.** Weights of the ten digits, 28 by 28
    pixels, for $\lambda = 0$ (top) and $\lambda = 1$ (bottom), where early stopping ended each run. Red
    is positive, blue negative and white zero; the scale of the top row is {{top[0.0] / top[1.0]:.1f}}
    times that of the bottom row.
        check: seen[1.0].roughness < 0.8 * seen[0.0].roughness and seen[1.0].likeness > 0.9
""", r"""
    Two rows of ten images. The top row, without penalty, is speckled, with a roughness of
    {{seen[0.0].roughness:.2f}}; the bottom row, with lambda 1, shows smooth, blurred digits, with a
    roughness of {{seen[1.0].roughness:.2f}}.
        check: seen[1.0].roughness < 0.8 * seen[0.0].roughness
""")

# %% [hidden]
header = ("directions", "mean variance", "roughness", "λ = 1", "λ = 0", "λ = 0.00001, minimum")
table(header, weights.band_rows(bands), "Table 2", r"""
    **Directions of small variance are rough, and a penalty keeps the weights out of them.** Principal
    directions of the training pixels (eigenvectors of their covariance) in five bands, the largest
    variance first, with the mean roughness of the directions as images; then the share of the squared
    weights along each band, for the two runs of Figure 1 and for the minimum of $J$ with
    $\lambda = 0.00001$.
        check: np.diff([b.variance for b in bands]) < 0 and np.diff([b.roughness for b in bands]) > 0
        check: bands[0].shares[0] > 0.5 > bands[4].shares[0] and bands[0].shares[2] < 0.5 < bands[4].shares[2]
""")
say(r"""
    *What the weights tend to.* Where the gradient of equation (8) vanishes,
    $2 \lambda w = \frac{1}{N} X^\top (Y - \hat{Y})$. A strong penalty keeps all outputs near
    $\frac{1}{10}$, and the right side is then the sum of a class's images minus a tenth of the sum of
    all, divided by $N$: a template. The correlation of a class's weights with its mean image, minus the
    mean over classes, is {{seen[1.0].likeness.min():.2f}} to {{seen[1.0].likeness.max():.2f}} for
    $\lambda = 1$ and {{seen[0.0].likeness.min():.2f}} to {{seen[0.0].likeness.max():.2f}} for
    $\lambda = 0$.
        check: seen[1.0].likeness.min() > 0.9 > seen[0.0].likeness.max()

    *What the penalty removes.* Along a direction in which the cost has curvature $h$, the penalty
    leaves about the share $\frac{h}{h + 2 \lambda}$ of the weight that would minimise the cost alone
    (Goodfellow et al., 2016, section 7.1). The curvature grows with the variance of the images along
    the direction, so that a penalty reduces the weights most where the images vary least. In images of
    digits the directions of large variance are smooth and those of small variance are rough (Table 2).
    With $\lambda = 1$, {{bands[4].shares[0]:.1%}} of the squared weights lie along the 484 directions
    of smallest variance; at the minimum for $\lambda = 0.00001$ it is {{bands[4].shares[2]:.0%}}, and
    the roughness is {{seen[0.00001].roughness:.2f}}. Without a penalty it is only
    {{bands[4].shares[1]:.1%}}, because training stopped before these directions were fitted.
        check: bands[4].last - bands[4].first + 1 == 484 and 5 * bands[0].roughness < bands[4].roughness
        check: bands[4].shares[0] < 0.01 and bands[4].shares[1] < 0.1 * bands[4].shares[2]
        check: bands[4].shares[2] > 0.5 and seen[0.00001].roughness > 5 * seen[1.0].roughness

    *A control.* If this is the reason, the effect must be reversed when the variances are. The images
    were rescaled along their principal directions so that the rough directions have the large
    variances. A penalty of $\lambda = 1$ instead of 0.001 then makes the weights rougher:
    {{control["reversed"][1.0]:.2f}} against {{control["reversed"][0.001]:.2f}}. With the original
    variances it makes them smoother ({{control["as they are"][1.0]:.2f}} against
    {{control["as they are"][0.001]:.2f}}), and with equal variances it hardly matters
    ({{control["equal"][1.0]:.2f}} against {{control["equal"][0.001]:.2f}}).
        check: control["reversed"][1.0] > 2 * control["reversed"][0.001]
        check: 2 * control["as they are"][1.0] < control["as they are"][0.001]
        check: abs(control["equal"][1.0] / control["equal"][0.001] - 1) < 0.1
    The [appendix](#the-weights-at-the-minima) rules out another explanation. Smoother does not mean
    better: with $\lambda = 1$ the model underfits (tasks 4c and 4d).
""")
# %% [markdown]
# ### Task 4c: Five penalties
#
# *Train with $\lambda$ = 1, 0.1, 0.01 and 0.001, each from scratch, and show the validation accuracy of all on
# one axis.* The run of task 3b, with $\lambda = 0$, is included; all five use the same shuffles.

# %%
late = {lam: task4.late(r.history.validation_accuracy) for lam, r in runs.items()}
same = task4.compare(runs[0.001].last, {0.0: soft.last}, images.validation)[0.0].accuracy
swing = oscillation.arms(runs[1.0].last, images32)
curve = oscillation.curvature(optimal[1.0], images.train)
lead, lead_without = (oscillation.lead(m, images.validation) for m in (optimal[1.0], soft.last))

# %% [hidden]
say(r"""
    **The stronger the penalty, the lower the validation accuracy. Over the last ten checks of each run
    its median is {{late[1.0].median:.3f}} for $\lambda = 1$, {{late[0.1].median:.3f}} for 0.1,
    {{late[0.01].median:.3f}} for 0.01 and {{late[0.001].median:.3f}} for 0.001, which on these images
    is indistinguishable from the {{late[0.0].median:.3f}} without a penalty.**
        check: late[1.0].high < late[0.1].low and late[0.1].high < late[0.01].low
        check: late[0.01].high < late[0.001].low
        check: same.beyond < 1 and abs(late[0.001].median - late[0.0].median) < late[0.0].range
""")

# %%
show(figures.lambdas(runs, (0.76, 0.93)), "Figure 2", r"""
    **A strong penalty costs accuracy; $\lambda = 0.001$ is indistinguishable from none.** Validation
    accuracy at every check, up to where early stopping ended each run.
        check: late[1.0].high < late[0.1].low and late[0.1].high < late[0.01].low
        check: late[0.01].high < late[0.001].low
        check: same.beyond < 1
""", r"""
    Line plot of five curves. At the end lambda 1 is lowest, near {{late[1.0].median:.2f}} with large
    swings, then 0.1 near {{late[0.1].median:.2f}} and 0.01 near {{late[0.01].median:.2f}}; 0.001 and 0
    coincide near {{late[0.0].median:.3f}} and are trained longest.
        check: late[1.0].range > 5 * late[0.01].range
        check: runs[0.01].steps < min(runs[0.001].steps, soft.steps)
        check: abs(late[0.001].median - late[0.0].median) < late[0.0].range
""")

# %% [hidden]
header = ("λ", "updates", "accuracy: median", "lowest to highest", "validation loss", "training accuracy")
table(header, task4.run_rows(runs, images), "Table 3", r"""
    **The five runs.** Validation accuracy over the last ten checks; validation loss and training
    accuracy with the last weights.
""")
say(r"""
    The stronger the penalty, the sooner early stopping ends the run (Table 3); task 4d compares the
    penalties after equally many updates.
        check: runs[1.0].steps < runs[0.1].steps < runs[0.01].steps < soft.steps

    *Why the run with $\lambda = 1$ oscillates.* Its last ten checks range over {{late[1.0].range:.3f}}
    in accuracy, against {{late[0.0].range:.3f}} without a penalty, so that a single check says little.
        check: late[1.0].range > 10 * late[0.0].range
    The penalty keeps the logits close together: at the minimum of $J$ the two largest differ by a
    median of {{lead:.2f}}, against {{lead_without:.2f}} without a penalty. And each update moves the
    logits of all images together, because they have a large mean image in common. The direction of
    largest curvature of $J$ lies along it ({{curve.along_mean:.0%}} of its squared norm), and the
    learning rate times this curvature is {{0.01 * curve.largest:.2f}}: a batch with a few more 3s than
    usual makes a 3 more probable for every image.
        check: lead < lead_without / 4 and 0.3 < 0.01 * curve.largest < 1 and curve.along_mean > 0.9
    This is noise of the batches and not instability, for which the product would have to exceed 2. When
    the run continues, the standard deviation of the accuracy from check to check is
    {{swing["as in task 4c"].deviation:.4f}}. It falls to {{swing["a tenth of the rate"].deviation:.4f}}
    with a tenth of the learning rate, to {{swing["equal shares"].deviation:.4f}} with batches that hold
    every digit in its share, and to {{swing["all images"].deviation:.4f}} with all images in each
    update.
        check: 2 * swing["a tenth of the rate"].deviation < swing["as in task 4c"].deviation
        check: 2 * swing["equal shares"].deviation < swing["as in task 4c"].deviation
        check: 10 * swing["all images"].deviation < swing["as in task 4c"].deviation
""")
# %% [markdown]
# ### Task 4d: Why a penalty lowers the accuracy
#
# *The validation accuracy falls with every penalty. Why?*

# %%
short = dict(learning_rate=0.01, epochs=20, checks_per_epoch=1)
equal = sweep(SoftmaxRegression, images32, lam=tuple(runs), seed=range(4, 10), **short)
steps = task4.equal_steps(equal, images32)
shuffles = path.over_shuffles([equal[0.0, seed].last for seed in range(4, 8)], images32)

# %%
at = task4.everywhere(optimal, images)
later = {epoch: far[epoch] for epoch in (50, 100, 200, 400, 600)}
gain = task4.compare_both(optimal[0.001], later, images)
worse = task4.compare_both(optimal[0.001], {lam: m for lam, m in optimal.items() if lam < 0.001}, images)
drop = max(s.accuracy for s in task4.scores(far.values(), images.test)) - far[600].accuracy(*images.test)

# %% [hidden]
say(r"""
    **Because these runs end while the model still underfits, so that a penalty only makes it fit less.
    A single linear layer has little capacity and overfits slowly: within 50 epochs a constraint mostly
    adds bias. A penalty helps where training would otherwise go on until the model overfits, and there
    stopping in time gives the same accuracy.**
        check: [s.training.high for s in steps.values()] < np.zeros(4)
        check: [s.validation.high for s in steps.values()] < np.zeros(4)
        check: worse[0.00001].held.accuracy.low > 0 and drop < 0.002
        check: [gain[e].held.accuracy.beyond for e in (200, 400, 600)] < np.ones(3)

    *At equal steps a penalty lowers both accuracies.* After 20 epochs, over six seeds of the shuffles,
    $\lambda = 0.001$, 0.01, 0.1 and 1 lower the validation accuracy by
    {{task4.listed(-100 * s.validation.mean for s in steps.values())}} percentage points and the
    training accuracy by {{task4.listed(-100 * s.training.mean for s in steps.values())}}; no 95%
    interval over the shuffles (Student's $t$) contains 0 (Table A2).
        check: [s.training.high for s in steps.values()] < np.zeros(4)
        check: [s.validation.high for s in steps.values()] < np.zeros(4)
    For $\lambda = 0.001$ the standard error over images is the larger one; it is
    {{100 * steps[0.001].images.error:.3f}} points, and the difference of the last weights,
    {{task4.minus(100 * steps[0.001].images.mean, 3)}}, exceeds it more than twice, as on the held-out
    images.
        check: steps[0.001].images.error > steps[0.001].validation.error
        check: steps[0.001].images.ratio < -2 and steps[0.001].held.ratio < -2
    If these runs overfitted, a penalty would lower the training accuracy and raise the validation
    accuracy. That is what happens at the minima of $J$: from $\lambda = 0.00001$ to 0.001 the training
    accuracy falls from {{at[0.00001].training.accuracy:.4f}} to {{at[0.001].training.accuracy:.4f}},
    and the validation accuracy rises from {{at[0.00001].validation.accuracy:.4f}} to
    {{at[0.001].validation.accuracy:.4f}}.
        check: at[0.00001].training.accuracy > at[0.001].training.accuracy
        check: worse[0.00001].validation.accuracy.low > 0
""")
# %% [hidden]
header = ("epoch", "accuracy: validation", "accuracy: held-out", "loss: validation", "loss: held-out")
table(header, task4.compared_rows(gain), "Table 4", r"""
    **After 200 epochs without a penalty nothing is left of the penalty's gain in accuracy.** The
    minimum of $J$ for $\lambda = 0.001$ minus the run without penalty at five epochs, with the standard
    error over images (paired): accuracy in percentage points, loss in thousandths of a nat. All five
    are weights of the long run of task 3d, each after 200 further updates on all images, which average
    out the noise of the batches. The error over shuffles is negligible: {{shuffles.runs}} runs of 20
    epochs with different shuffles have a standard deviation of {{100 * shuffles.ends:.2f}} points on
    the held-out images, but of {{100 * shuffles.settled:.3f}} points after 20 such updates.
        check: shuffles.settled < min(g.held.accuracy.error for g in gain.values()) / 3
        check: gain[50].held.accuracy.ratio > 4 and gain[100].held.accuracy.ratio > 2
        check: [gain[e].held.accuracy.beyond for e in (200, 400, 600)] < np.ones(3)
        check: [gain[e].validation.accuracy.beyond for e in (200, 400, 600)] < np.ones(3)
""")
say(r"""
    *A penalty or early stopping.* Of nine penalties, $\lambda = 0.001$ has the lowest validation loss
    at the minimum of $J$ (Table A4). Its accuracy on the held-out images is
    {{100 * gain[50].held.accuracy.mean:.2f}} percentage points higher than that of the run without
    penalty after 50 epochs, the assignment's limit. But this compares a model trained to the end with
    one that is not. When the run continues, the difference is
    {{100 * gain[100].held.accuracy.mean:.2f}} points after 100 epochs and indistinguishable from 0
    after 200, 400 and 600 (Table 4).
        check: at[0.001].validation.loss <= np.array([s.validation.loss for s in at.values()])
        check: gain[50].held.accuracy.mean > gain[100].held.accuracy.mean
        check: gain[100].held.accuracy.low > 0
        check: [gain[e].held.accuracy.beyond for e in (200, 400, 600)] < np.ones(3)
        check: [gain[e].validation.accuracy.beyond for e in (200, 400, 600)] < np.ones(3)
    In loss, too, the two are indistinguishable after 200 epochs; after 600 the penalty is better by
    {{-gain[600].held.loss.mean:.4f}} nats on the held-out images. Early stopping at the right time and
    a penalty of the right strength are two ways to the same place; the penalty need not be timed.
        check: [g.loss.beyond for g in gain[200]] < np.ones(2) and gain[600].held.loss.high < 0

    *How much the model overfits.* Compared with the minimum for $\lambda = 0.001$, the loss on the
    held-out images is higher for every smaller $\lambda$, by
    {{task4.listed((-c.held.loss.mean for c in worse.values()), 3)}} nats for 0.0003, 0.0001, 0.00003
    and 0.00001. The accuracy is lower from 0.0001 down, by
    {{task4.listed(100 * worse[lam].held.accuracy.mean for lam in list(worse)[1:])}} points. So the
    model overfits badly, by more than one point, only for 0.00001.
        check: list(worse) == [0.0003, 0.0001, 0.00003, 0.00001]
        check: [c.held.loss.high for c in worse.values()] < np.zeros(4)
        check: worse[0.0003].held.accuracy.beyond < 1
        check: worse[0.0001].held.accuracy.low > 0 and worse[0.00001].held.accuracy.mean > 0.01
        check: worse[0.0001].held.accuracy.mean < worse[0.00003].held.accuracy.mean < 0.01
    Without a penalty, gradient descent loses {{100 * drop:.2f}} points between its best epoch and epoch
    600.
        check: drop < 0.002
""")
# %%
passed, near = path.passing(far, optimal, images.validation), path.nearest(soft, optimal, axes)
ends = path.place({lam: r.last for lam, r in runs.items()}, images.validation)
picture = figures.plane(path.place(optimal, images.train), passed.path, passed.course, ends)
free = path.separation(optima.load_separator(), images)

# %% [hidden]
show(picture, "Figure 3", r"""
    **The run without penalty passes close to the minima for ever smaller $\lambda$.** Cross-entropy
    against the norm of the weights: at the minimum of $J$ for each $\lambda$, on the training and the
    validation images, and along the run without penalty from epoch 50 to 600. Circles show where the
    runs of task 4c ended.
        check: passed.off < 0.02 and np.diff([point.norm for point in passed.course.values()]) > 0
""", r"""
    Line plot. At the minima of J the validation loss falls with the norm of the weights to
    {{at[0.001].validation.loss:.3f}} at lambda 0.001 and rises to {{at[0.00001].validation.loss:.3f}}
    at lambda 0.00001, while the training loss keeps falling. The run without penalty stays close to the
    validation curve.
        check: passed.off < 0.02 and at[0.001].validation.loss < at[0.00001].validation.loss
        check: np.diff([s.training.loss for s in at.values()]) < 0
""")

# %% [hidden]
say(r"""
    *Why the number of steps acts like a penalty.* For a quadratic cost, $T$ updates fit a direction of
    curvature $h$ to the share $1 - (1 - \alpha h)^T$, and a penalty to the share
    $\frac{h}{h + 2 \lambda}$. For small $h$ the two agree if $\lambda = \frac{1}{2 \alpha T}$
    (Goodfellow et al., 2016, section 7.8). From epoch 50 to 600 the validation loss of the run without
    penalty differs from that of the minima, at equal norm, by at most {{passed.off:.1%}}, about half as
    much as it falls ({{passed.fall:.1%}}) and rises again ({{passed.rise:.1%}}): a likeness, not an
    identity (Figure 3).
        check: 0.3 < passed.off / passed.fall < 0.7 and 0.3 < passed.off / passed.rise < 0.7
        check: min(passed.course) == 50 and max(passed.course) == 600
    The [appendix](#the-minima-of-j-and-their-proof) says where the rule holds, and shows that without a
    penalty there is no minimum to converge to.
        check: free.margin > 0
""")
# %% [markdown]
# ### Task 4e: The norm of the weights
#
# *Plot the length of the weight vector against $\lambda$. What do you observe?* Plotted is the norm
# $\lVert w \rVert$, the square root of the sum of all squared weights, not its square.

# %%
stopped = {lam: task4.norm(r.last) for lam, r in runs.items()}
still = {lam: task4.norm(optimal[lam]) for lam in task4.PENALTIES}
after = {lam: task4.norm(equal[lam, 4].last) for lam in runs}
down, down_still = np.array(task4.ratios(stopped)), np.array(task4.ratios(still))
part, grown = {lam: stopped[lam] / still[lam] for lam in still}, task4.norm(far[600])

# %% [hidden]
say(r"""
    **The norm falls as $\lambda$ grows, but far more slowly than in inverse proportion. For
    $\lambda = 0.001$ and without a penalty it depends on how long the model was trained rather than on
    $\lambda$.**
        check: 1 < down and down < 5 and 0.9 < stopped[0.001] / stopped[0.0] < 1 and part[0.001] < 0.75
        check: grown > 2 * stopped[0.0] and still[0.001] > after[0.001] * 1.5
""")

# %%
show(figures.norms({"where the run ended": stopped, "at the minimum of J": still}), "Figure 4", r"""
    **The stronger the penalty, the smaller the norm of the weights.** Norm of all 7,850 weights where
    the runs of task 4c ended and at the minimum of $J$, which does not exist for $\lambda = 0$.
        check: down > 1 and down_still > 1
""", r"""
    Dot plot on a logarithmic scale. Where the runs ended, the norm falls from {{stopped[0.0]:.2f}} for
    lambda 0 to {{stopped[1.0]:.2f}} for lambda 1; at the minimum of J it falls from
    {{still[0.001]:.2f}} for 0.001 to {{still[1.0]:.2f}} for 1.
        check: down > 1 and down_still > 1
""")

# %% [hidden]
say(r"""
    Where the runs ended, the norm falls from {{stopped[0.0]:.2f}} without a penalty to
    {{stopped[1.0]:.2f}} for $\lambda = 1$ (Figure 4). From 0.001 on, each tenfold $\lambda$ divides it
    by {{task4.listed(down[1:])}}; inverse proportion would give 10. The largest drop is that from 0.01
    to 0.1, by {{stopped[0.01] - stopped[0.1]:.2f}}; in proportion the largest is that from 0.1 to 1.
        check: 1 < down and down < 5 and stopped[0.01] - stopped[0.1] >= -np.diff(list(stopped.values()))
        check: down[3] >= down
    At the minimum of $J$ the norm falls from {{still[0.001]:.2f}} for 0.001 to {{still[1.0]:.2f}} for
    1; for $\lambda = 0$ there is none. The runs with 0.1 and 1 reached it within
    {{max(abs(part[0.1] - 1), abs(part[1.0] - 1)):.1%}}, that with 0.01 to {{part[0.01]:.0%}}, and that
    with 0.001 only to {{part[0.001]:.0%}}, because it was not trained long enough for so weak a penalty
    to act: after 20 epochs its norm is {{after[0.001] / after[0.0]:.0%}} of that without a penalty.
    Without a penalty the norm grows from {{after[0.0]:.2f}} after 20 epochs to {{grown:.2f}} after 600
    (Table A5).
        check: max(abs(part[0.1] - 1), abs(part[1.0] - 1)) < 0.01 and grown > 2 * after[0.0]
        check: part[0.001] < 0.75 < 0.9 < part[0.01] < 1 and free.margin > 0
        check: 0.95 < after[0.001] / after[0.0] < 1
""")

# %% [markdown]
# ## Beyond the assignment
#
# ### The held-out images and the price of choosing
#
# *Do the reported accuracies hold on images that took no part in choosing the weights?* The assignment validates on
# MNIST's test images, which therefore cannot also serve as a test set. But it uses only 20,000 of the 60,000 training
# images; the other 40,000 are called the held-out images here.

# %%
named = {f"4c, λ = {lam:g}" if lam else "3b": r for lam, r in runs.items()}
final = heldout.finals({"2d": run}, digits) | heldout.finals(named, images)
excess = np.array([f.gap for f in final.values()])
first_half, second_half, half_error = heldout.halves(soft.best, images.validation)
price = heldout.prices(soft.last, images32)

# %% [hidden]
say(r"""
    **Not quite: on the held-out images they are {{100 * excess.min():.1f}} to
    {{100 * excess.max():.1f}} percentage points lower. But choosing the weights by the validation
    images explains next to nothing of this: what remains is a difference between the two sets of
    images.**
        check: excess > 0 and price.by_loss.excess.high < excess.min() / 10
""")
header = ("run", "last: validation", "held-out", "best: validation", "held-out", "95% interval")
table(header, heldout.final_rows(final), "Table 5", r"""
    **On held-out images every model is less accurate than on the validation images.** Accuracy of each
    run with its last weights and with its best, those of the lowest validation loss; for the latter on
    the held-out images with Wilson's 95% interval. For 2d, only the 2s and 3s among these images are
    used.
        check: excess > 0 and np.array([f.last - f.last_held for f in final.values()]) > 0
""")
say(r"""
    The six runs share their images, so that these are not six independent findings (Table 5). For task
    3b the difference is {{100 * final['3b'].gap:.2f}} ± {{100 * final['3b'].error:.2f}} percentage
    points, with the standard error over both sets of images.
        check: final['3b'].gap > 1.96 * final['3b'].error

    *What choosing costs.* To separate the choice from the images, the validation and the held-out
    images were pooled and divided at random, {{price.by_loss.excess.pairs}} times, into 10,000 that
    choose and 40,000 that do not. Of {{price.checks}} checks of a run that continues that of task 3b,
    the one of the lowest loss is more accurate on the images that chose it than on the others by
    {{100 * price.by_loss.excess.mean:.3f}} ± {{100 * price.by_loss.excess.error:.3f}} percentage points
    (standard error over the divisions; {{price.by_loss.chosen}} different checks were chosen).
        check: price.by_loss.excess.high < 0.0003 and price.by_loss.chosen > 1
    The method does see a price where there is one: for the check of the highest accuracy it is
    {{100 * price.by_accuracy.excess.mean:.3f}} ± {{100 * price.by_accuracy.excess.error:.3f}} points.
    What remains is a difference between the sets. Even among themselves MNIST's test images differ: of
    the first 5,000, {{first_half:.1%}} are classified correctly by the model of task 3b, of the last
    5,000 {{second_half:.1%}}, {{(second_half - first_half) / half_error:.0f}} standard errors more.
        check: price.by_accuracy.excess.low > 5 * price.by_loss.excess.high
        check: second_half - first_half > 5 * half_error
""")

# %% [markdown]
# ### Calibration and errors
#
# *How reliable are the probabilities of the model of task 3b, and which images does it misclassify?*

# %%
sure, cases = errors.sureness(soft.best, images.validation), errors.readings(soft.best, images.validation)
scale = errors.best_scale(soft.best, images.train)
rescaled = soft.best.copy(scale * soft.best.w).loss(*images.validation)
trend = {epoch: errors.sureness(far[epoch], images.validation).lacking for epoch in (50, 100, 200, 600)}
confused, cost = errors.confused(cases), errors.burden(cases)

# %% [hidden]
say(r"""
    **The model is underconfident.** Its confidence, the probability that it gives to the class it
    predicts, is {{sure.confidence:.3f}} on average over the validation images, and its accuracy is
    {{sure.accuracy:.3f}}. The difference is {{sure.lacking.mean:.4f}}, which is
    {{sure.lacking.ratio:.0f}} standard errors over images (paired).
        check: sure.lacking.ratio > 4
    The reason is that training stopped while the norm of the weights was still growing. Multiplying all
    weights by {{scale:.2f}}, the factor that minimises the training loss (temperature scaling; Guo et
    al., 2017), changes no prediction and lowers the validation loss from
    {{soft.best.loss(*images.validation):.4f}} to {{rescaled:.4f}}. When training continues, the
    difference shrinks from {{trend[50].mean:.3f}} after 50 epochs to {{trend[100].mean:.3f}} after 100
    and {{trend[200].mean:.3f}} after 200; after 600 it is indistinguishable from 0
    ({{task4.minus(trend[600].mean, 3)}} ± {{trend[600].error:.3f}}).
        check: scale > 1 and rescaled < soft.best.loss(*images.validation)
        check: trend[50].mean > trend[100].mean > trend[200].mean
        check: trend[200].low > 0 and trend[600].beyond < 1

    **Four of the 45 pairs of digits account for {{confused.in_pairs:.0%}} of the errors**:
    {{errors.pair_list(confused.pairs)}}. Of {{len(cases.loss):,}} validation images {{confused.wrong}}
    are misclassified. The easiest digit is the {{confused.easiest}}, with an accuracy of
    {{confused.share.max():.1%}} (95% interval {{confused.low[confused.easiest]:.1%}} to
    {{confused.high[confused.easiest]:.1%}}), and the hardest the {{confused.hardest}}, with
    {{confused.share.min():.1%}} ({{confused.low[confused.hardest]:.1%}} to
    {{confused.high[confused.hardest]:.1%}}).
        check: confused.in_pairs > 3 * 4 / 45
        check: confused.high[confused.hardest] < confused.low[confused.easiest]
    The misclassified images carry {{cost.misclassified:.0%}} of the summed loss, and one image in a
    hundred carries {{cost.hundredth:.0%}}; the median loss is {{cost.median:.3f}} nats, the mean
    {{cost.mean:.3f}}. The [appendix](#calibration-and-errors-in-detail) shows these images.
        check: cost.misclassified > 0.5 > cost.hundredth > 0.1 and cost.median < cost.mean / 4
""")
