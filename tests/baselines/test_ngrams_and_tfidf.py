"""The two sequence baselines of the paper."""

from deeplog_nb.baselines.ngrams import NGramTopG
from deeplog_nb.baselines.tfidf import TfidfLSTM
from deeplog_nb.models.training import Training
from deeplog_nb.verdicts.policy import Policy


def test_the_ngram_rule_flags_what_never_followed(sessions):
    """With g = 2 of three keys, a key that never came after the one before it is unlikely."""
    model = NGramTopG(policy=Policy(g=2)).fit(sessions(*[[1, 2, 3]] * 5, [1, 3, 2]))
    verdicts = model.judge(sessions([1, 2, 3], [1, 1]))
    assert verdicts.group_by("session", maintain_order=True).agg(verdicts["anomalous"].any()).height == 2
    assert verdicts.filter("unlikely")["session"].to_list() == ["s1"]


def test_a_supervised_model_finds_what_it_was_shown(sessions):
    """Sessions with key 7 are labelled abnormal; another one with it is found, and one without is not."""
    training = Training(epochs=10, draws=512, rate=1e-2, device="cpu")
    normal, abnormal = sessions(*[[1, 2, 3]] * 20), sessions(*[[1, 7, 3]] * 20)
    model = TfidfLSTM(units=8, training=training).fit(normal, abnormal.with_columns(session="x" + abnormal["session"]))
    assert model.judge(sessions([1, 2, 3], [1, 7, 7, 3]))["anomalous"].to_list() == [False, True]
