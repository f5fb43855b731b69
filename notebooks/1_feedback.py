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
# # "That was normal": teach it, and take it back
#
# **For whom:** whoever has read the first alarms of their log ([0_start](0_start.ipynb)) and knows better about some
# of them. **Time:** five minutes; a laptop is enough, no GPU, no network.
#
# A detector that cannot be told "that was normal" will be switched off in the second week. A detector that believes
# everything it is told can be talked into silence. We answer a few alarms, see what changes and what must not, and
# take it back.

# %% tags=["parameters"]
SEED = 0

# %%
import gzip
import tempfile
from pathlib import Path

import polars as pl

import deeplog_nb as dl

pl.Config.set_fmt_str_lengths(100).set_tbl_hide_column_data_types(True).set_tbl_hide_dataframe_shape(True)

lines = dl.read(dl.load_openstack().log)
normal = dl.first_half(lines)
detector = dl.Detector.fit(normal, keys=dl.KeyModel(training=dl.Training(seed=SEED)))
verdicts = dl.second_half(detector.judge(lines), normal)

# %% [markdown]
# ## 1. What is there to answer?
#
# Alarms grouped by what happened, worst first. The first rows are messages that no machine of the first hour had
# written.

# %%
dl.patterns(verdicts).select("rule", "sessions", "session", "why").head(6)

# %% [markdown]
# ## 2. A case keeps the answers
#
# A folder with one SQLite file. Rows are only ever added, each with the hash of the row before, so that nobody can
# change an answer later without being noticed; what returns is on the disk.

# %%
folder = tempfile.TemporaryDirectory()
case = dl.Case(folder.name)
case.add_model("fitted", detector.save, "fitted on the first hour")

worst = dl.patterns(verdicts)
planned, broken = worst["session"][0], worst["session"][1]
case.mark(verdicts, "normal", session=planned, who="kim", note="planned test of a full disk")
case.mark(verdicts, "anomaly", session=broken, who="kim", note="this one was real")
again = case.mark(verdicts, "anomaly", session=broken, who="kim")
assert not again["added"].any()
case.labels().select("id", "who", "verdict", "note", "pattern")

# %% [markdown]
# What was said already is not said twice: the third call gave the row that says so, with `added` false. An answer for
# tonight alone expires: `case.mark(..., until=datetime(...))`, in UTC; it is allowed until then, and never learnt.
#
# The `pattern` is what the answer is about, exactly: which keys were flagged, and how often the machine wrote each
# key.
#
# ## 3. Update: what changes, what must not?
#
# An answer first *allows* its pattern, and nothing else. Models learn from it only through a gate: confirmed anomalies
# stay alarms, no more held-out normal machines are flagged, and of changes made to normal machines as many are noticed
# as before.

# %%
update = detector.update(case, lines=lines)
update

# %%
after = dl.second_half(update.model.judge(lines), normal)
flagged = [set(each.filter("anomalous")["session"].drop_nulls()) for each in (verdicts, after)]
assert planned not in flagged[1]
assert broken in flagged[1]
assert flagged[1] < flagged[0]
f"{len(flagged[0])} machines were flagged, {len(flagged[1])} are now"

# %% [markdown]
# What was allowed stays visible: the rule that fired, and that somebody said it was normal.

# %%
after.filter("allowed").select("session", "position", "unseen", "allowed", "anomalous", "why")

# %% [markdown]
# ## 4. Can it be talked into silence?
#
# Somebody else calls the confirmed anomaly normal. The two answers contradict each other, both labels are named, and
# the anomaly stays an alarm. (Had kim changed her mind, her new answer would have taken the place of the old one.)

# %%
wrong = case.mark(verdicts, "normal", session=broken, who="mallory", note="nothing to see here")
refused = update.model.update(case, lines=lines)
assert broken in set(refused.model.judge(lines).filter("anomalous")["session"])
print(refused.refused)

# %% [markdown]
# ## 5. Take it back
#
# Taking back is a new row; the old one stays as evidence. Whatever says the same of the same machine goes with it. And
# the model of this morning is still there, bit by bit.

# %%
case.undo(wrong["id"][0], who="kim")
case.undo(1, who="kim", note="it was not planned after all")
restored = dl.second_half(detector.update(case).model.judge(lines), normal)
assert set(restored.filter("anomalous")["session"].drop_nulls()) == flagged[0]
case.verify()
case.labels(history=True).select("id", "who", "verdict", "undo_of", "note")

# %% [markdown]
# ## 6. A log that grows
#
# The same detector follows a log that is still being written, through rotation and restarts; what it finds is kept in
# the case together with the place in the file, so that no line is judged twice. Here we write the first hour into a
# file, then the rest. (In JupyterLab `dl.live(tail)` shows a panel that follows by itself, with a button to stop it.)

# %%
written = gzip.decompress(dl.load_openstack().log.read_bytes()).splitlines(keepends=True)
growing = Path(folder.name, "nova.log")
growing.write_bytes(b"".join(written[: len(normal)]))

tail = dl.tail(growing, case, detector, settle=0)
first = tail.step()
with growing.open("ab") as file:
    file.write(b"".join(written[len(normal) :]))
second = tail.step()
[(tick.records, tick.alarms) for tick in (first, second)]

# %%
case.verdicts(anomalous=True, last=3).select("line", "session", "score", "why")

# %% [markdown]
# ## What was not shown
#
# An answer about one entry, `case.mark(..., position=...)`, is also learnt: the key after its history; a new key is
# admitted. Labels travel as JSON Lines (`case.export`, `case.merge`); `deeplog-nb watch` follows a log in a terminal.
