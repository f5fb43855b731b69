"""The count check: which keys are fixed, which counts exclude each other, and what is said of a session."""

import hashlib
import json

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from deeplog_nb.frames import InputError, ModelError
from deeplog_nb.models.counts import CountModel

RETRIES = [[1, 2, *[3] * retries] for retries in (0, 1, 2, 3, 5) for _ in range(40)]
PAIRS = [[1, 2, 2]] * 100 + [[1, 1, 2]] * 100  # 1 twice or 2 twice, never both, never neither


def flagged(model, sessions):
    return model.check(sessions)["flagged"].to_list()


def test_keys_that_vary_by_themselves_are_free(sessions):
    """Retries (3) vary while all else is the same; what is begun and ended (1, 2) does not."""
    model = CountModel().fit(sessions(*RETRIES))
    assert model.fixed == [1, 2]
    assert flagged(model, sessions([1, 2, *[3] * 9], [1, 3, 3], [1, 2, 2])) == [False, True, True]


def test_two_counts_that_never_came_together_are_impossible_together(sessions):
    """Each count was seen, the two together never were, though chance would have shown them 50 times."""
    counted = CountModel().fit(sessions(*PAIRS)).check(sessions([1, 2], [1, 1, 2]))
    assert counted["flagged"].to_list() == [True, False]
    assert counted["reason"][0] == (
        "key 1 occurs 1 times and key 2 1 times: never together in training, where chance would have shown it 50 times"
    )


def test_counts_too_rare_to_meet_are_not_held_against_each_other(sessions):
    """Two rare variants, of different keys, have never met by chance: that they meet is no alarm."""
    usual, first, second = [[1, 2]] * 500, [[1, 1, 2]] * 4, [[1, 2, 2]] * 4
    assert flagged(CountModel().fit(sessions(*usual, *first, *second)), sessions([1, 1, 2, 2])) == [False]


def test_where_every_session_is_another_nothing_is_fixed(sessions):
    """Sessions without a twin teach no rule, so none is broken."""
    model = CountModel().fit(sessions(*[[1] * (n + 1) + [2] * (3 * n % 7) for n in range(20)]))
    assert model.fixed == []
    assert flagged(model, sessions([1], [2], [])) == [False, False]


def test_one_odd_training_session_does_not_free_a_key(sessions):
    """Contamination by one in 200 leaves the check as it was, and the source says how many are flagged left out."""
    model = CountModel().fit(sessions(*RETRIES, [1, 1, 1, 2]))
    assert model.fixed == [1, 2]
    assert "1 of 201 flagged" in model.source


def test_of_a_loops_key_few_sessions_bound_only_its_presence(sessions):
    """Of 200 sessions with 2 to 5 rounds, one with 9 is no surprise, one with none is; 4,000 sessions bound it."""
    rounds = [[1, *[2] * times, *[3] * times] for times in (2, 3, 4, 5) for _ in range(50)]
    few, many = (CountModel().fit(sessions(*rounds * times)) for times in (1, 20))
    tried = sessions([1, *[2] * 9, *[3] * 9], [1, 3, 3])
    assert (flagged(few, tried), flagged(many, tried)) == ([False, True], [True, True])
    assert "key 2 does not occur, in training it always does" in few.check(tried)["reason"][1]


def test_open_sessions_teach_nothing(sessions):
    """What may go on has no final counts."""
    assert CountModel().fit(sessions(*RETRIES, open_=True)).fixed == []


def test_order_and_unknown_keys_are_not_its_business(sessions):
    """The same counts in another order, or with a key of no template, pass."""
    assert flagged(CountModel().fit(sessions(*RETRIES)), sessions([2, 1], [1, 99, 2])) == [False, False]


def test_counts_of_sessions_are_as_good_as_repeats(sessions):
    """A session that stands for forty is forty sessions."""
    once = sessions(*[[1, 2, *[3] * retries] for retries in (0, 1, 2, 3, 5)], counts=[40] * 5)
    assert CountModel().fit(once).learnt.fixed == CountModel().fit(sessions(*RETRIES)).learnt.fixed


def test_test_sessions_cannot_reach_what_was_learnt(sessions):
    """Checking anything leaves the model as it was."""
    model = CountModel().fit(sessions(*PAIRS))
    before = model.learnt
    model.check(sessions([1], [2], [7, 7]))
    assert model.learnt is before


def test_a_saved_model_says_the_same(sessions, tmp_path):
    """What is loaded checks as what was saved, word for word, and has the digest of its file."""
    model = CountModel(rate=0.02).fit(sessions(*PAIRS, *RETRIES))
    model.save(tmp_path)
    loaded, asked = CountModel.load(tmp_path), sessions([1, 2], [1, 1, 2], [1, 3, 3], [9])
    assert_frame_equal(loaded.check(asked), model.check(asked))
    assert (loaded.rate, loaded.source, loaded.digest) == (0.02, model.source, model.digest)
    assert loaded.digest == hashlib.sha256((tmp_path / "counts.json").read_bytes()).hexdigest()


def test_models_differ_by_digest(sessions):
    """Other training sessions or another rate give another digest."""
    fitted = [
        CountModel(rate=rate).fit(sessions(*PAIRS[:size])) for rate, size in ((1e-3, 200), (1e-2, 200), (1e-3, 199))
    ]
    assert len({model.digest for model in fitted}) == 3


def test_a_model_without_items_comes_back(sessions, tmp_path):
    """Where nothing is fixed there is nothing to check, then and now."""
    CountModel().fit(sessions([1], [2, 2])).save(tmp_path)
    assert CountModel.load(tmp_path).fixed == []


@pytest.mark.parametrize(
    ("fact", "wrong"), [("fixed", [99]), ("fixed", "x"), ("vocabulary", [1]), ("rate", None), ("rate", 3)], ids=str
)
def test_a_broken_file_is_refused(sessions, tmp_path, fact, wrong):
    """Columns that are no key, facts of another kind: the file is named, nothing is guessed."""
    CountModel().fit(sessions(*RETRIES)).save(tmp_path)
    path = tmp_path / "counts.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {fact: wrong}))
    with pytest.raises(ModelError, match="not a saved CountModel"):
        CountModel.load(tmp_path)


def test_changed_numbers_are_refused(sessions, tmp_path):
    """One bit in the numbers, or no file at all."""
    CountModel().fit(sessions(*PAIRS)).save(tmp_path)
    path = tmp_path / "counts.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(ModelError, match="changed since it was saved"):
        CountModel.load(tmp_path)
    with pytest.raises(InputError, match="no saved counts model"):
        CountModel.load(tmp_path / "elsewhere")


def test_nonsense_is_refused(sessions):
    """A rate is a share, and an unfitted model checks nothing."""
    with pytest.raises(InputError, match="between 0 and 1"):
        CountModel(rate=2)
    with pytest.raises(ModelError, match="call fit"):
        CountModel().check(sessions([1]))


def test_on_hdfs_the_free_keys_are_verify_serve_and_its_exception(data, sessions):
    """Found from the training sessions alone: 2, 3 and 4 vary freely, the other eleven are fixed."""
    train = pl.read_parquet(data("hdfs/train_normal.parquet"))["sequence"]
    assert CountModel().fit(sessions(*train.to_list())).fixed == [5, 6, 9, 11, 16, 18, 21, 22, 23, 25, 26]


def test_declared_counts_are_normal_with_any_number_of_the_free_keys(sessions, tmp_path):
    """What is said of one session holds for the same fixed counts, in a saved model too, and not in the old one."""
    old = CountModel().fit(sessions(*RETRIES))
    old.learn(sessions([1, 1, 2, 3])).save(tmp_path)
    asked = sessions([1, 1, 2], [1, 3, 1, 2, 3, 3], [1, 1, 1, 2], [1, 1, 2, 2])
    assert flagged(CountModel.load(tmp_path), asked) == [False, False, True, True]
    assert flagged(old, asked) == [True] * 4


def test_counts_alone_say_what_sessions_say(sessions):
    """The reasons for counted keys are those for the sessions; keys that nobody knows are left out."""
    model, asked = CountModel().fit(sessions(*PAIRS)), [[1, 2], [1, 1, 2], [1, 7, 2, 2, 2]]
    counted = [{key: keys.count(key) for key in keys} for keys in asked]
    assert model.reasons(counted) == model.check(sessions(*asked))["reason"].to_list()
