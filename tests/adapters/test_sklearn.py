"""scikit-learn's perceptrons: the values inside fit, by the right classes, and nothing of the fit is changed by hearing it."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import nissl
from nissl.errors import BadValue, NotHeard, Unsupported

pytestmark = [
    pytest.mark.framework("sklearn"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]
X = np.random.default_rng(0).normal(size=(90, 5))
Y = (X @ np.random.default_rng(1).normal(size=(5, 3))).argmax(1)


def fitted(kind=MLPClassifier, y=Y, **options):
    return kind(hidden_layer_sizes=(8, 6), max_iter=3, random_state=0, **options).fit(X, y)


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
def test_the_network_returns_what_scikit_learn_predicts(activation):
    many = fitted(activation=activation)
    np.testing.assert_array_equal(nissl.network(many).forward(X), many.predict_proba(X))
    two = fitted(y=Y > 0, activation=activation)
    np.testing.assert_array_equal(nissl.network(two).forward(X)[:, 0], two.predict_proba(X)[:, 1])
    free = fitted(MLPRegressor, X @ np.ones((5, 2)), activation=activation)
    np.testing.assert_array_equal(nissl.network(free).forward(X), free.predict(X))


def test_the_last_layer_is_heard_before_a_softmax_and_after_a_sigmoid():
    many, two = nissl.network(fitted()), nissl.network(fitted(y=Y > 0))
    scores = many.probe(X)["output"]
    powers = np.exp(scores - scores.max(1, keepdims=True))
    np.testing.assert_allclose(powers / powers.sum(1, keepdims=True), many.forward(X))
    assert "softmax" in many.layers[-1].remark
    assert two.layers[-1].nonlinearity == "Sigmoid"
    np.testing.assert_array_equal(two.probe(X)["output"], two.forward(X))
    assert [layer.inputs for layer in many.layers] == [(), ("hidden_1",), ("hidden_2",)]


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_gradients_of_a_regressor_are_finite_differences(loss):
    net = nissl.network(fitted(MLPRegressor, np.abs(X[:, 0]), activation="logistic", loss=loss))
    gradient, step = net.gradient(X[:4], 0), 1e-6
    for column in range(X.shape[1]):
        shift = step * np.eye(5)[column]
        wanted = (net.forward(X[:4] + shift) - net.forward(X[:4] - shift))[:, 0] / (2 * step)
        np.testing.assert_allclose(gradient[:, column], wanted, rtol=1e-5, atol=1e-9)


def test_a_target_may_be_a_function_and_one_without_a_derivative_says_so():
    net = nissl.network(fitted())
    mine = net.gradient(X, lambda out: np.log(out[:, 1]), at="hidden_2")
    np.testing.assert_allclose(mine, net.gradient(X, 1, at="hidden_2") / net.forward(X)[:, [1]])
    whole = net.gradient(X, lambda out: np.log(out[:, 1]).sum(), at="hidden_2")
    np.testing.assert_allclose(whole, mine)
    with pytest.raises(Unsupported, match="complex"):
        net.gradient(X, lambda out: out.real[:, 1])


def test_nothing_flows_back_through_units_that_are_set():
    net, step = nissl.network(fitted(activation="tanh")), 1e-6
    with net.change("hidden_1", [0, 3], 0.5), net.change("hidden_2", [1]):
        gradient = net.gradient(X[:4], 2)
        shift = step * np.eye(5)[2]
        wanted = (net.forward(X[:4] + shift) - net.forward(X[:4] - shift))[:, 2] / (2 * step)
    np.testing.assert_allclose(gradient[:, 2], wanted, rtol=1e-5, atol=1e-9)


def test_a_change_reaches_the_users_own_predictions():
    mlp = fitted()
    net, before = nissl.network(mlp), mlp.predict_proba(X)
    with net.change("hidden_2"):
        flat = mlp.predict_proba(X)
        assert np.ptp(flat, axis=0).max() < 1e-12
        with pytest.raises(ValueError, match="features"):
            mlp.predict(X[:, :3])
        with pytest.raises(Unsupported, match="trained"):
            mlp.partial_fit(X, Y)
    np.testing.assert_array_equal(mlp.predict_proba(X), before)
    assert not {"_backprop", "_forward_pass_fast"} & set(vars(mlp))


def weights(mlp):
    return [*mlp.coefs_, *mlp.intercepts_]


@pytest.mark.parametrize("options", [{}, {"early_stopping": True}, {"solver": "sgd", "activation": "logistic"}])
def test_a_whole_fit_is_recorded_and_unchanged(run_path, options):
    alone = MLPClassifier((8, 6), max_iter=4, batch_size=32, random_state=0, **options).fit(X, Y)
    heard = MLPClassifier((8, 6), max_iter=4, batch_size=32, random_state=0, **options)
    with nissl.callbacks.Sklearn(run_path, classes=["a", "b", "c"], probe=(X, Y)).hearing(heard) as loop:
        heard.fit(X, Y)
    for mine, theirs in zip(weights(heard), weights(alone), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    trace = nissl.open(run_path)
    assert list(trace.epochs) == [0, 1, 2, 3, 4] and loop.trace.epochs == trace.epochs
    steps = 3 if "early_stopping" not in options else 81 // 32 + 1
    assert trace["E_2"].scalars["steps"] == steps
    np.testing.assert_allclose([trace[f"E_{n}"].scalars["loss"] for n in (1, 2, 3, 4)], alone.loss_curve_, rtol=1e-6)
    assert ("validation_score" in trace["E_1"].scalars) == ("early_stopping" in options)
    assert trace["E_4"]["L_hidden_1"].array("class_count").sum() == (81 if options.get("early_stopping") else 90)


def test_classes_are_those_of_the_shuffled_examples(run_path):
    """With a rate of nothing, the statistics by class are those of the probe."""
    mlp = MLPClassifier((8, 6), max_iter=1, batch_size=25, random_state=0, solver="sgd", learning_rate_init=1e-300)
    with nissl.callbacks.Sklearn(run_path).hearing(mlp):
        mlp.fit(X, Y)
    values, trace = nissl.network(mlp).probe(X), nissl.open(run_path)
    for name, value in values.items():
        wanted = np.stack([value[k == Y].mean(0) for k in range(3)], 1)
        np.testing.assert_allclose(trace["E_1"][f"L_{name}"].array("class_mean"), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("names", [["ant", "bee", "cat"], [5, 7, 9], [1.0, 2.0, 3.0], ["-1", "0", "1"]])
def test_labels_are_those_that_fit_takes(run_path, names):
    y = np.array(names)[Y]
    mlp = MLPClassifier((8,), max_iter=3, random_state=0)
    with nissl.callbacks.Sklearn(run_path, probe=(X, y)).hearing(mlp):
        mlp.fit(X, y)
    trace = nissl.open(run_path)
    assert list(trace.classes) == [str(name) for name in names]
    value, cell = nissl.network(mlp).probe(X)["hidden_1"], trace["E_3"]["L_hidden_1"]
    wanted = np.stack([value[k == Y].mean(0) for k in range(3)], 1)
    np.testing.assert_allclose(cell.array("probe_class_mean"), wanted, rtol=1e-4, atol=1e-5)
    assert float(trace.scalars["probe_accuracy"][-1]) == pytest.approx(mlp.score(X, y))
    with nissl.record(mlp, progress=False) as recorder:
        for _ in recorder.epochs(1):
            for x, labels in recorder.batches([(X, y)]):
                mlp.partial_fit(x, labels)
    with pytest.raises(BadValue, match="none of this perceptron's classes_"):
        nissl.record(mlp, probe=(X, np.array(["dog" if isinstance(names[0], str) else 4] * len(X))))
    with pytest.raises(BadValue, match="in the order"):
        nissl.record(mlp, classes=names[::-1])


def test_a_probe_may_be_sparse_or_a_table(run_path):
    import pandas as pd
    import scipy.sparse

    for x, y in ((scipy.sparse.csr_matrix(X), Y), (pd.DataFrame(X), pd.Series(Y))):
        mlp = MLPClassifier((8,), max_iter=3, random_state=0)
        with nissl.callbacks.Sklearn(run_path, probe=(x, y), overwrite=True).hearing(mlp):
            mlp.fit(x, y)
        cell = nissl.open(run_path)["E_3"]["L_hidden_1"]
        np.testing.assert_allclose(cell.array("probe_mean"), nissl.network(mlp).probe(X)["hidden_1"].mean(0), rtol=1e-5)


def test_a_loop_of_partial_fits_is_recorded_by_the_classes_that_scikit_learn_saw(run_path):
    options = {"batch_size": 25, "random_state": 0, "solver": "sgd", "learning_rate_init": 1e-300}
    mlp = MLPClassifier((8, 6), **options).partial_fit(X, Y, classes=[0, 1, 2])
    with nissl.record(mlp, run_path, progress=False) as recorder:
        for _ in recorder.epochs(2):
            for x, y in recorder.batches([(X, Y)]):
                mlp.partial_fit(x, y)
    value, cell = nissl.network(mlp).probe(X)["hidden_1"], nissl.open(run_path)["E_2"]["L_hidden_1"]
    wanted = np.stack([value[k == Y].mean(0) for k in range(3)], 1)
    np.testing.assert_allclose(cell.array("class_mean"), wanted, rtol=1e-4, atol=1e-5)
    assert cell.array("class_count").sum() == 90


def test_gradients_inside_fit_are_those_of_the_mean_loss():
    mlp = MLPClassifier((8, 6), activation="tanh", batch_size=90, alpha=0, shuffle=False, random_state=0)
    net, seen = nissl.network(mlp.partial_fit(X, Y, classes=[0, 1, 2])), {}
    rows, step = np.arange(90), 1e-6

    def loss():
        return -np.log(net.forward(X)[rows, Y]).mean()

    wanted = {}
    for layer in net.layers:
        with net.change(layer.name, [1], lambda v: v + step):
            up = loss()
        with net.change(layer.name, [1], lambda v: v - step):
            wanted[layer.name] = (up - loss()) / (2 * step)
    with net.watch(seen.__setitem__, "*", place="gradient", passes="training"):
        mlp.partial_fit(X, Y)
    for name, value in wanted.items():
        np.testing.assert_allclose(seen[name][:, 1].sum(), value, rtol=1e-5, atol=1e-9)


def test_a_pipeline_is_its_perceptron_behind_its_other_steps(run_path):
    pipeline = make_pipeline(StandardScaler(), MLPClassifier((8,), max_iter=3, random_state=0))
    with nissl.callbacks.Sklearn(run_path, probe=(3 * X, Y)).hearing(pipeline):
        pipeline.fit(3 * X, Y)
    net = nissl.network(pipeline)
    np.testing.assert_array_equal(net.forward(3 * X), pipeline.predict_proba(3 * X))
    mean = nissl.open(run_path)["E_3"]["L_hidden_1"].array("probe_mean")
    np.testing.assert_allclose(mean, net.probe(3 * X)["hidden_1"].mean(0), rtol=1e-5, atol=1e-6)
    with pytest.raises(Unsupported, match=r"pipeline\[-1\]"):
        net.gradient(X, 0)


def test_what_is_not_fitted_or_not_heard_says_what_to_do(run_path):
    with pytest.raises(BadValue, match="partial_fit"):
        nissl.network(MLPClassifier())
    with pytest.raises(Unsupported, match="lbfgs"), nissl.callbacks.Sklearn().hearing(MLPClassifier(solver="lbfgs")):
        pass
    with pytest.raises(Unsupported, match="no multi-layer"), nissl.callbacks.Sklearn().hearing(LogisticRegression()):
        pass
    with pytest.raises(Unsupported, match="No adapter"):
        nissl.network(make_pipeline(StandardScaler()))
    mlp = fitted()
    with pytest.raises(BadValue, match=r"\(examples, 5\)"):
        nissl.network(mlp).forward(X[:, :2])
    with pytest.raises(NotHeard, match="very estimator"), nissl.record(mlp, run_path, progress=False) as recorder:
        for _ in recorder.epochs(1):
            for x, _ in recorder.batches([(X, Y)]):
                mlp.predict(x)
