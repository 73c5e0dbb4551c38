# Two commands on a fresh Debian 12 with Swift 6: `make demo` and `make test`.
# One release build serves the program, the tests and the demonstration.

SWIFT ?= swift
ENCODER := .build/release/encoder
# Seconds that all fuzzers share.
FUZZ_SECONDS ?= 3600

# What `make demo` makes, and what `make bench-serve` loads: a sentence-transformers directory, which parts, and a
# Python with sentence-transformers, fastapi and uvicorn to compare with.
MODEL ?= demo/model
MINILM ?=
PARTS ?=
PEER ?=

.PHONY: help build demo serve bench quality bench-serve test format-check format check-ecosystem check-reliability clean dependencies

help:
	@echo 'make build            build the program: $(ENCODER)'
	@echo 'make demo             the whole pipeline on the Debian package index, about 10 minutes'
	@echo 'make serve            serve what make demo made on http://127.0.0.1:8080; MODEL=DIR serves another'
	@echo 'make bench-serve      load the server; MODEL=DIR, MINILM=DIR for vectors, PARTS=rank,items,..., PEER=PYTHON'
	@echo 'make test             all tests; needs nothing outside this repository'
	@echo 'make bench            speed beside the Python libraries; half an hour; needs ENCODER_DATA; BENCH="--only NAME" for a part'
	@echo 'make quality          fine-tune and score on the data sets of ENCODER_DATA, three seeds; about an hour'
	@echo '                      ABLATIONS=1 also measures what each part of the recipe is worth; hours'
	@echo 'make format-check     swift format, strict'
	@echo 'make format           rewrite the sources as swift format wants them'
	@echo 'make check-ecosystem  compare with the Python libraries, which it installs into .venv-check; needs ENCODER_DATA'
	@echo 'make check-reliability  kills, full disks, leaks, damaged files for FUZZ_SECONDS (3600), sanitizers; two hours'
	@echo 'make clean            remove build products and the demonstration'

dependencies:
	@Scripts/install-dependencies

build: dependencies
	$(SWIFT) build -c release --product encoder

demo: build
	@Scripts/demo $(ENCODER) demo

serve: build
	$(ENCODER) serve --model $(MODEL) --data $(MODEL).sqlite

bench-serve: build
	Scripts/bench-serve $(ENCODER) --model $(MODEL) $(if $(MINILM),--minilm $(MINILM)) \
	  $(if $(PARTS),--parts $(PARTS)) $(if $(PEER),--peer $(PEER))

test: dependencies
	$(SWIFT) build -c release --build-tests
	$(SWIFT) test -c release --skip-build --disable-xctest

bench: dependencies
	$(SWIFT) build -c release --product encoder
	$(SWIFT) build -c release --product encoder-bench
	@Scripts/bench $(BENCH)

quality: build
	$(if $(filter 1,$(ABLATIONS)),$(SWIFT) build -c release --product encoder-bench)
	@Scripts/quality $(ENCODER) quality

format-check:
	$(SWIFT) format lint --strict --recursive Sources Tests

format:
	$(SWIFT) format --in-place --recursive Sources Tests

check-ecosystem: build
	@Scripts/check-ecosystem $(ENCODER)

check-reliability: dependencies
	$(SWIFT) build -c release --product encoder-fuzz
	$(SWIFT) build -c release --product encoder
	@Scripts/check-reliability $(FUZZ_SECONDS)

clean:
	$(SWIFT) package clean
	rm -rf demo
