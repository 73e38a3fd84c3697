"""Tiny, seeded training sets and the rows to ask about. Every array is made here; nothing is downloaded."""
import numpy as np
import pandas as pd
from sklearn.datasets import load_iris

SPECIES = np.array(["setosa", "versicolor", "virginica"])


def _iris():
    data = load_iris()
    rng = np.random.RandomState(7)
    rows = np.arange(0, 150, 2)
    x = np.round(data.data[rows] + rng.normal(0, 0.15, (75, 4)), 2)
    y = data.target[rows].copy()
    flip = rng.choice(75, 9, replace=False)
    y[flip] = (y[flip] + 1) % 3
    return x, y


def _queries(x, rng):
    """Seven rows: like the training rows, rounded ones that sit on thresholds, far ones and full-precision ones."""
    near = x[rng.choice(len(x), 3, replace=False)]
    mixed = np.round((x[3] + x[40]) / 2, 1)
    far = np.array([[-3.5, 0.0, 12.25, 7.5][: x.shape[1]] + [0.5] * max(0, x.shape[1] - 4)])
    full = x[rng.choice(len(x), 2, replace=False)] + rng.normal(0, 0.3, (2, x.shape[1]))
    return np.vstack([near, mixed[None, :], far, full])


def with_nan(x, rng, part=0.12):
    out = np.array(x, dtype=np.float64)
    out[rng.uniform(size=out.shape) < part] = np.nan
    return out


def object_series(values):
    return pd.Series(values, dtype=object)


def _people(rows, rng):
    return pd.DataFrame({
        "age": np.where(rng.uniform(size=rows) < 0.15, np.nan, np.round(rng.uniform(1, 80, rows), 1)),
        "fare": np.round(rng.gamma(2.0, 15.0, rows), 2),
        "siblings": rng.randint(0, 4, rows).astype(np.int64),
        "sex": object_series(rng.choice(["male", "female"], rows)),
        "port": object_series([None if u < 0.1 else v for u, v in
                               zip(rng.uniform(size=rows), rng.choice(["S", "C", "Q"], rows))]),
    })


TEXTS = [
    "the quick brown fox jumps over the lazy dog", "Pack my box with five dozen liquor jugs",
    "Übergrößenträger straße café naïve", "İstanbul'da güneşli bir gün", "free money now, click HERE",
    "meeting at noon with the quick team", "win free prizes now now now", "the team will meet for lunch",
    "ΑΒΓ αβγ Σίσυφος", "добрый день мир Мир", "東京 タワー は 高い", "e-mail me at foo@example.com",
    "dog and fox and dog", "numbers 12 345 6 under_score", "cafe\u0301 re\u0301sume\u0301 ﬁne ﬂow", "lunch money for the lazy fox",
]
TEXT_LABELS = np.array(["ham", "ham", "ham", "ham", "spam", "ham", "spam", "ham", "ham", "ham", "ham", "spam",
                        "ham", "ham", "ham", "spam"])
TEXT_QUERIES = ["The quick fox wins FREE money", "café CAFÉ cafe", "", "İstanbul ΣΊΣΥΦΟΣ мир", "unseen words only here",
                "東京 は 東京", "a I x 1 2 12", "straße STRASSE ẞ ﬁne\tflow\u00a0now", "dog, dog. (dog) fox_dog under_score"]


def make():
    """All sets by name: (x, y) pairs under train names, query rows under names that start with q_."""
    rng = np.random.RandomState(42)
    d = {}
    x, y = _iris()
    d["iris"] = (x, y)
    d["iris_str"] = (x, SPECIES[y])
    d["iris_f32"] = (x.astype(np.float32), y)
    two = y < 2
    d["bin"] = (x[two], y[two])
    d["bin_str"] = (x[two], SPECIES[y[two]])
    d["bin_bool"] = (x[two], y[two] == 1)
    d["bin_pm"] = (x[two], np.where(y[two] == 1, 1, -1))
    d["q_iris"] = _queries(x, rng)
    target = np.round(2.0 * x[:, 0] - x[:, 1] ** 2 + 0.5 * x[:, 2] * x[:, 3] + rng.normal(0, 0.4, len(x)), 3)
    d["reg"] = (x, target)
    d["reg_f32"] = (x.astype(np.float32), target.astype(np.float32))
    d["reg_pos"] = (x, np.abs(target) + 0.1)
    d["positive"] = (np.abs(x) + 0.05, np.abs(target) + 0.1)
    d["bin_few"] = (x[two][::3], SPECIES[y[two]][::3])
    d["reg_1col"] = (x, target[:, None])
    d["reg2"] = (x, np.column_stack([target, x[:, 1] - x[:, 3]]))
    d["multi_out"] = (x, np.column_stack([y, (x[:, 0] > 5.7).astype(int), np.round(x[:, 3]).astype(int)]))
    d["multi_label"] = (x, np.column_stack([(x[:, 0] > 5.7), (x[:, 3] > 1.2), y == 1]).astype(int))
    d["multi_out_str"] = (x, np.column_stack([SPECIES[y], np.where(x[:, 0] > 5.7, "long", "short")]))
    xn = with_nan(x, rng)
    d["nan"] = (xn, y)
    d["nan_bin"] = (xn[two], y[two])
    d["nan_reg"] = (xn, target)
    qn = with_nan(d["q_iris"], rng, 0.25)
    qn[2, :] = np.nan
    d["q_nan"] = qn
    # Columns 0 and 2 hold categories: integers with gaps. The query has unknown, negative and missing ones.
    xc = np.array(x)
    xc[:, 0] = rng.choice([0, 1, 3, 7, 11], len(x))
    xc[:, 2] = np.round(x[:, 2])
    xc[:, 1] = xn[:, 1]
    yc = ((xc[:, 0] % 2 == 1).astype(int) + (xc[:, 2] > 4).astype(int) + (x[:, 3] > 1.5)) % 3
    d["cat"] = (xc, yc)
    d["cat_bin"] = (xc, (yc > 0).astype(int))
    d["cat_reg"] = (xc, np.round(np.where(xc[:, 0] == 3, 4.0, 0.3 * xc[:, 0]) + x[:, 3], 3))
    qc = np.array(xc[rng.choice(len(x), 7, replace=False)])
    qc[0, 0], qc[1, 0], qc[2, 0], qc[3, 2], qc[4, 1] = 2, np.nan, -1, 99, np.nan
    d["q_cat"] = qc
    counts = rng.poisson(1.5, (40, 6))
    d["counts"] = (counts, (counts[:, 0] + counts[:, 3] > 3).astype(int) + (counts[:, 1] > 2))
    d["q_counts"] = rng.poisson(1.5, (8, 6))
    codes = rng.randint(0, 4, (50, 3))
    codes[0], codes[1] = 3, 0
    d["codes"] = (codes, (codes.sum(axis=1) > 4).astype(int))
    d["q_codes"] = rng.randint(0, 4, (8, 3))
    people = _people(60, rng)
    survived = ((people["sex"] == "female") & (people["fare"] > 15)).astype(int).values.copy()
    survived[rng.choice(60, 6, replace=False)] ^= 1
    d["people"] = (people, survived)
    d["people_full"] = (people.assign(age=people["age"].fillna(30.0), port=people["port"].fillna("S").astype(object)), survived)
    d["people_reg"] = (people, people["fare"].values * 0.5 + np.arange(60) % 7)
    qp = _people(8, rng)
    qp.loc[0, "port"] = "X"
    qp.loc[1, "sex"] = "other"
    qp.loc[2, "age"] = np.nan
    d["q_people"] = qp
    known = qp.copy()
    known["sex"] = object_series(["male", "female"] * 4)
    known["port"] = object_series(["S", "C", "Q", "S"] * 2)
    known["age"] = known["age"].fillna(44.5)
    d["q_people_known"] = known
    d["words"] = (people[["sex", "port"]], survived)
    d["words_full"] = (d["people_full"][0][["sex", "port"]], survived)
    d["q_words"] = qp[["sex", "port"]]
    d["q_words_known"] = known[["sex", "port"]]
    d["texts"] = (list(TEXTS), TEXT_LABELS)
    d["q_texts"] = list(TEXT_QUERIES)
    letters = pd.DataFrame({"subject": object_series(TEXTS), "length": [float(len(t)) for t in TEXTS],
                            "sender": object_series(["ann", "bob", "cy", "ann"] * 4)})
    d["letters"] = (letters, TEXT_LABELS)
    d["q_letters"] = pd.DataFrame({"subject": object_series(TEXT_QUERIES), "length": [float(len(t)) for t in TEXT_QUERIES],
                                   "sender": object_series(["ann", "bob", "zed"] * 3)})
    gappy = np.round(rng.normal(0, 2, (40, 3)), 2)
    gappy[:, 2] = np.nan
    gappy[5:9, 0] = np.nan
    gappy[0, 0] = 1.5
    gappy[1:4, 1] = 1.5
    d["gappy"] = (gappy, None)
    d["q_gappy"] = np.array([[np.nan, 1.0, np.nan], [2.0, np.nan, 3.0], [1.5, 1.5, 1.5], [np.nan] * 3, [-1.0, 0.0, 1e10],
                             [0.25, -0.125, np.nan]])
    ints = rng.randint(-3, 5, (40, 3))
    d["ints"] = (ints, (ints[:, 0] > 0).astype(int))
    d["q_ints"] = rng.randint(-4, 7, (8, 3))
    zero = np.round(rng.normal(0, 1, (30, 4)), 2)
    zero[:, 1] = 3.0
    d["constant"] = (zero, None)
    d["q_constant"] = np.vstack([zero[:6], np.zeros((1, 4))])
    one = np.sort(rng.uniform(0, 10, 30))
    d["curve"] = (np.round(one, 2)[:, None], np.round(np.sin(one) + one, 3))
    d["q_curve"] = np.array([[-1.0], [0.0], [2.5], [3.75], [9.99], [10.5], [5.0]])
    d["labels_str"] = (np.array(["b", "a", "c", "ä", "b"]), None)
    d["labels_int"] = (np.array([3, -1, 10, 3]), None)
    d["labels_str_q"] = ["a", "ä", "b", "c", "c", "a"]
    d["labels_int_q"] = np.array([10, 3, -1, -1])
    d["people_numbers"] = (d["people_full"][0][["age", "fare", "siblings"]], survived)
    d["q_people_numbers"] = qp[["siblings", "age", "fare"]][["age", "fare", "siblings"]]
    frame = pd.DataFrame({"code": xc[:, 0], "gap": np.where(np.isnan(xc[:, 1]), np.nan, np.round(xc[:, 1]))})
    d["cat_columns"] = (frame, yc)
    d["q_cat_columns"] = pd.DataFrame({"code": qc[:, 0], "gap": np.round(qc[:, 1])})
    d["q_positive"] = np.abs(d["q_iris"]) + 0.01
    return d
