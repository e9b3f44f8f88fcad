"""A fitted MLPClassifier of three classes."""

import numpy as np


def example():
    from sklearn.neural_network import MLPClassifier

    x = np.random.default_rng(0).normal(size=(7, 5))
    y = np.arange(7) % 3
    model = MLPClassifier((6, 4), activation="tanh", random_state=0)
    return model.partial_fit(x, y, classes=[0, 1, 2]), x, y
