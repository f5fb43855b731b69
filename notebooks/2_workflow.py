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
# # Which step, and what should have come?
#
# **For whom:** whoever has an alarm ([0_start](0_start.ipynb)) and asks where in the system's work it stands.
# **Time:** five minutes; a laptop is enough, no GPU, no network.
#
# A detector says that a key should not have come. A *workflow* says what the system was doing: its tasks as small
# automata, learnt from the same normal sessions, with what runs at the same time, what is a choice, what is repeated.

# %% tags=["parameters"]
SEED = 0

# %%
import polars as pl

import deeplog_nb as dl

pl.Config.set_fmt_str_lengths(400).set_tbl_hide_column_data_types(True).set_tbl_hide_dataframe_shape(True)

lines = dl.read(dl.load_openstack().log)
normal = dl.first_half(lines)
detector = dl.Detector.fit(normal, keys=dl.KeyModel(training=dl.Training(seed=SEED)))
verdicts = dl.second_half(detector.judge(lines), normal)

# %% [markdown]
# ## 1. The normal story
#
# Where the model is certain of the next key, both are of one task; where it is not, it may be a choice, two threads at
# once, or the end of the task. `||` runs at the same time, `|` is a choice, `[ ]` may be left out, `*` is repeated.

# %%
sessions = detector.sessions(normal)
workflow = dl.Workflow.from_model(sessions, detector.keys, templates=detector.templates)
workflow

# %% [markdown]
# ## 2. What h and g would do?
#
# A history as long as the shortest task, and a g as large as the widest choice (paper, 4.4).

# %%
workflow.suggest()

# %% [markdown]
# ## 3. Each alarm, in words
#
# The step before, what should have come with its probability, what came instead; of a slow step, how long it took and
# usually takes.

# %%
alarms = workflow.diagnose(verdicts)
alarms.group_by("rule", maintain_order=True).first().select("rule", "sentence")

# %% [markdown]
# ## 4. One machine over the picture
#
# The machine's entries are numbered along the path; where it left, the picture says what was expected and what came.
# Below it, all edges as a table. In a trusted JupyterLab the picture can be moved and asked; shared, it stays a
# picture.

# %%
left = alarms.filter(pl.col("rule") == "unlikely")["session"][0]
dl.graph(workflow, verdicts.filter(pl.col("session") == left))

# %% [markdown]
# ## 5. Does a whole log differ from the normal one?
#
# Not single machines, but what the many do: new and vanished messages, more and fewer, slower and faster steps, each
# with how sure it is. A new message is told even where chance may have brought it.

# %%
differs = dl.compare(sessions, detector.sessions(lines.tail(len(lines) - len(normal))), templates=detector.templates)
differs.select("what", "says", "why", "certain")

# %% [markdown]
# ## What was not shown
#
# Without a model, from keys that come near one another: `dl.Workflow.from_cooccurrence(sessions, tau=0.9)`. On disk:
# `workflow.save`, `to_dot`, `to_xes`. As a detector by itself, to compare: `workflow.conformance(sessions)`.
