# `make bench` and `make test` are all that one needs; both set up first. `make help` lists the rest.
# PADDLE=no leaves the Paddle environment out. PYTHON and PYTHON310 name interpreters to be used.

PADDLE ?= yes
VENV := .venv/bin

.PHONY: help setup runner bench test lint a76 traffic peers clean

help:
	@echo 'make bench   set up, then run the models on the emulated phone and show the report'
	@echo 'make test    set up, then every check: lint, types, C++ tests on both targets, Python tests'
	@echo 'make setup   make .venv, .venv-paddle (PADDLE=no: not) and the runners; a second run takes seconds'
	@echo 'make runner  build all of the runtime for this machine and for the phone: runner, libraries, tests'
	@echo 'make lint    ruff, mypy, import-linter, clang-format'
	@echo 'make a76     estimated Cortex-A76 cycles of every net (needs qemu-user and llvm-19 from Debian)'
	@echo 'make traffic bytes that every net moves beyond a phone'\''s caches, simulated (as make a76)'
	@echo 'make peers   other engines on the same nets on this machine (makes .venv-peers from PyPI)'
	@echo 'make clean   remove what these targets build; trainings, data, results and the environments stay'
	@echo '             (rm -r build removes all of it but the environments)'

setup:
	@tools/setup.sh --paddle $(PADDLE)

runner:
	@tools/build_runner.sh all

bench: setup
	@$(VENV)/edgeocr bench --device emulated

test: setup
	@tools/test.sh

lint:
	@tools/lint.sh

a76: setup
	@$(VENV)/python benchmarks/a76

peers: setup
	@$(VENV)/python benchmarks/peers/compare.py

traffic: setup
	@$(VENV)/python benchmarks/a76 --traffic

clean:
	rm -rf build/host build/aarch64 build/third_party build/native build/peers .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
