"""Speed of the main job beside a peer in the same run (``make bench``). It asserts only that results agree."""

from pathlib import Path

import pytest
import torch
from timing import median, row, seconds

from deeplog_nb.data import make_hdfs
from deeplog_nb.events.spell import Spell
from deeplog_nb.lines.read import read
from deeplog_nb.models.keys import KeyModel
from deeplog_nb.models.network import probabilities
from deeplog_nb.models.training import Training
from deeplog_nb.sessions.sessionize import sessionize
from deeplog_nb.sessions.windows import sequences, windows

TILES = 20  # copies of the generated log: about 400,000 lines


@pytest.fixture(scope="module")
def log(tmp_path_factory) -> Path:
    """A generated log many times over, each copy with block ids of its own."""
    text = make_hdfs(1, blocks=1000, anomalies=0).text
    path = tmp_path_factory.mktemp("bench") / "hdfs.log"
    path.write_text("".join(text.replace("blk_", f"blk_{tile}") for tile in range(TILES)))
    return path


def test_scoring_against_one_window_per_call(log):
    """Distinct windows, beside the usual implementation's one window a model call: the same probabilities."""
    lines = read(log)
    sessions = sessionize(Spell().fit(lines).parse(lines, parameters=False), by=r"(blk_-?\d+)")
    model = KeyModel(training=Training(epochs=2)).fit(sessions.head(20_000))
    found = windows(sequences(sessions), model.vocabulary, 10)
    some = torch.from_numpy(found.histories[:2000])

    def peer():
        model.network.eval()
        with torch.no_grad():
            return [model.network(history[None]).softmax(-1)[0] for history in some]

    print()
    row("one window per call", len(some), "entries", seconds(peer))
    row("distinct windows", len(sessions), "entries", median(lambda: model.rank(sessions)))
    assert torch.allclose(torch.stack(peer()), probabilities(model.network, some), atol=1e-6)
