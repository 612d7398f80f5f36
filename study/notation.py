"""The assignment's notation and its questions, as the report's tables have them."""

ROWS = [
    ("$N$, $n$", "number of examples; index of an example"),
    (
        "$I = 784$, $i$ or $j$",
        "number of pixels; index of an input, of which the last, constantly 1, belongs to the bias",
    ),
    ("$K$, $k$", "number of outputs; index of an output"),
    (
        r"$x_i^n$, $y_k^n$, $\hat{y}_k^n$",
        r"input, target and output of example $n$, with $0 < \hat{y}_k^n < 1$",
    ),
    ("$w_{ki}$, $z_k$", r"weight from input $i$ to output $k$; logit $z_k = \sum_i w_{ki} x_i$"),
    ("$C$, $R$, $J$", r"average cost; penalty, the sum of all squared weights; $J = C + \lambda R$"),
    (r"$\alpha$, $\lambda$", "learning rate; strength of the penalty"),
]

QUESTIONS = {  # the heading of each task, by its short name
    "1a": "Task 1a: The gradient of logistic regression",
    "1b": "Task 1b: The gradient of softmax regression",
    "2a": "Task 2a: Implementing logistic regression",
    "2b": "Task 2b: Training",
    "2c": "Task 2c: Accuracy",
    "2d": "Task 2d: Early stopping",
    "2e": "Task 2e: Shuffling",
    "3a": "Task 3a: Implementing softmax regression",
    "3b": "Task 3b: Training",
    "3c": "Task 3c: Accuracy",
    "3d": "Task 3d: Overfitting",
    "4a": "Task 4a: The penalised gradient",
    "4b": "Task 4b: The weights as images",
    "4c": "Task 4c: The accuracy for each penalty",
    "4d": "Task 4d: Why a penalty lowers the accuracy",
    "4e": "Task 4e: The norm of the weights",
}
