# make install   the environment in .venv (Python 3.11), with system libraries where we may install them
# make test      the environment, then all tests (ruff, mypy and the import contracts are among them)
# make demo      spec -> renders -> training -> probe report, under 10 minutes on 2 cores; again: resumes
# make learn     the long version, at most 60 minutes
# make clean     removes what demo and learn wrote, not the environment

PYTHON ?= python3.11
TORCH ?= torch==2.13.0
DEMO_OUT ?= demo
LEARN_OUT ?= learn

BIN := .venv/bin
READY := .venv/.ready

.PHONY: help install test demo learn clean

help:
	@sed -n 's/^# //p' Makefile

install: $(READY)

# torch comes first and exactly: a range would let pip weigh builds of several GB.
$(READY): pyproject.toml Makefile .ci/system-libraries
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { \
	    echo "Blender's Python module needs Python 3.11; name one: make install PYTHON=/path/to/python3.11" >&2; exit 1; }
	.ci/system-libraries $(PYTHON)
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet '$(TORCH)'
	$(BIN)/python -m pip install --quiet '$(TORCH)' -e '.[dev,preview,export,ray]'
	touch $(READY)

test: $(READY)
	$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal

demo: $(READY)
	$(BIN)/remind demo --out $(DEMO_OUT)

learn: $(READY)
	$(BIN)/python -m benchmarks.learn --out $(LEARN_OUT)

clean:
	rm -rf $(DEMO_OUT) $(LEARN_OUT) build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
