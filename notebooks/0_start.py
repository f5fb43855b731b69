# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # From a raw log to its first anomaly
#
# **For whom:** anybody with a log and no labels. **Time:** five minutes; a laptop is enough, no GPU, no network.
#
# We take two hours of an OpenStack compute service: 360 virtual machines are created, used and deleted, up to 19 at
# a time, so their lines are interleaved. Something is wrong with a few of them. We do not know which, and nobody has
# labelled anything. At the end we have the lines that are wrong, and why.
#
# The method is DeepLog (Du, Li, Zheng, Srikumar, CCS 2017): learn what normally comes next, then look at
# what should not have come.

# %% tags=["parameters"]
SEED = 0

# %%
import polars as pl

import deeplog_nb as dl

pl.Config.set_fmt_str_lengths(120).set_tbl_hide_column_data_types(True)

log = dl.load_openstack().log  # your own log goes here: a path, a glob, a folder

# %% [markdown]
# ## 1. What does a line of this log look like?
#
# Nobody told the library that this is an OpenStack log. It compares the first lines with the layouts that it knows,
# and says how well the best one fits, with a sample. If it is wrong, `dl.read(log, layout="...")` overrules it.

# %%
dl.detect_layout(log)

# %% [markdown]
# ## 2. Lines: nothing is lost
#
# Each record keeps its file, line and byte offset, so that every alarm leads back to the place in the file. Lines
# that the layout does not fit would be kept too, with `matched` false.

# %%
lines = dl.read(log)
assert lines["matched"].all()
lines.select("line", "time", "level", "message").head(3)

# %% [markdown]
# ## 3. The first hour is our normal part
#
# DeepLog learns from a time in which all was well. Here we take the first half; what ends after it will be judged.

# %%
normal = dl.first_half(lines)
print(f"{len(normal):,} of {len(lines):,} lines to learn from")

# %% [markdown]
# ## 4. Templates: what the program prints, without the values
#
# Spell finds what messages have in common. A template's number is its *log key*; what stands where it has `<*>` are
# the parameters.

# %%
templates = dl.Spell().fit(normal)
templates.frame.select("key", "count", "template").sort("count", descending=True).head(6)

# %% [markdown]
# ## 5. Sessions: one virtual machine at a time
#
# The lines of many machines are mixed. Their id, which stands in most messages, tells them apart; within
# a session, order means something.

# %%
VM = r"\[instance: ([0-9a-f-]{36})\]"
sessions = dl.sessionize(templates.parse(normal), by=VM)
train, valid = dl.holdout(sessions, share=0.2)
print(f"{train['session'].n_unique()} machines to learn from, {valid['session'].n_unique()} held out")

# %% [markdown]
# ## 6. The model: after these ten keys, what comes next?
#
# A two-layer LSTM, trained in seconds. The held-out machines tell when to stop; the line below is the state in which it
# ended. (`for step in keys.steps(train, valid): ...` does the same epoch by epoch, if you want to watch.)

# %%
keys = dl.KeyModel(training=dl.Training(seed=SEED))
with dl.Progress("training") as progress:
    keys.fit(train, valid, progress=progress)

# %% [markdown]
# ## 7. How well does it know this system?
#
# For each entry of the held-out machines: at which rank was the key that really came? Nearly always among the first
# few. The paper calls an entry normal if it is among the `g` = 9 most probable.

# %%
ranks = keys.rank(valid)
dl.rank_cdf(ranks, g=9)

# %% [markdown]
# ## 8. A policy: how improbable is too improbable?
#
# Rather than a fixed `g`, we let the held-out *normal* machines say it: bounds by which about one normal machine in
# five hundred would be flagged. No label is involved.

# %%
policy = dl.calibrate(ranks, rate=0.002)
policy

# %% [markdown]
# ## 9. Judge the second hour
#
# All lines are parsed by the templates of the first hour, ranked by its model and judged by its policy. Alarms that are
# alike are one *pattern*; the worst come first.

# %%
judged = dl.judge(keys.rank(dl.sessionize(templates.parse(lines), by=VM)), policy=policy)
verdicts = dl.second_half(judged, normal)
found = dl.patterns(verdicts)
found.select("rule", "sessions", "line", "why").head(12)

# %% [markdown]
# ## 10. The first anomaly, in its context
#
# The worst pattern's machine, from three lines before the alarm to the alarm itself. What the model expected
# there stands below.

# %%
first = found.row(0, named=True)
story = lines.filter(pl.col("message").str.contains(first["session"], literal=True))
story.filter(pl.col("line") <= first["line"]).tail(4).select("line", "time", "message")

# %%
before = verdicts.filter(session=first["session"]).filter(pl.col("position") < first["position"])["key"]
expected = keys.expect(before.to_list(), most=3)
expected.with_columns(template=pl.Series([templates.text(key) for key in expected["key"]]))

# %% [markdown]
# ## Were we right?
#
# This log is generated, so the truth is known. Eighteen machines in the second hour do something that the normal
# process cannot do; six more are only slow, or report an abnormal value. The model of keys cannot see those (that is
# the other half of DeepLog).

# %%
truth = pl.read_csv(dl.load_openstack().truth)
flagged = verdicts.filter("anomalous")["session"].unique()
wrong_order = truth.filter("impossible")["session"]
print(f"{wrong_order.is_in(flagged.implode()).sum()} of {len(wrong_order)} impossible machines are found")
assert wrong_order.is_in(flagged.implode()).mean() >= 0.9

# %%
dl.evaluate(verdicts, truth).select("unit", "tp", "fp", "fn", "precision", "recall", "specificity")

# %% [markdown]
# **What was not shown:** values and times (six machines above), feedback, workflows. And one log that went well proves
# little: the same steps on your own log begin with `dl.read("your.log")`, or, all in one, with
# `deeplog-nb report your.log` in a terminal.
