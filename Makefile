# Two commands on a fresh machine with Python and make: `make report`, `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: report test lab bench fuzz clean

report: $(READY)  ## set up, then judge the bundled log
	$(BIN)/deeplog-nb report

test: $(READY)  ## set up, then lint, type-check and pass the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

lab: $(READY)  ## set up, then open the notebooks in JupyterLab
	$(BIN)/jupyter lab notebooks

bench: $(READY)  ## set up, then measure speed against a peer
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps drain3==0.9.11 cachetools  # the peer
	$(BIN)/python -m pytest tests/benchmarks -sq -o python_files='bench_*.py'

fuzz: $(READY)  ## set up, then read twenty thousand broken logs, follow logs that are turned and readers that are killed, draw anew
	for draw in 1 2 3 4 5; do $(BIN)/python -m pytest -q -m hypothesis --hypothesis-profile=fresh || exit 1; done
	DEEPLOG_NB_MUTATED=20000 $(BIN)/python -m pytest tests/lines/test_mutated.py -q
	DEEPLOG_NB_PROGRAMS=5000 DEEPLOG_NB_KILLS=200 $(BIN)/python -m pytest tests/lines/test_follow_model.py tests/case/test_tail.py -q

clean:
	rm -rf $(VENV) report

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $(READY)
