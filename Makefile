# Two commands do everything: `make up` and `make test`. Both install what they need into .venv.

PYTHON ?= python3
UV := .venv/uv/bin/uv
LOCAL := .venv/local/bin
TOOLS := .venv/tools/bin
export UV_NO_PROGRESS := 1

up: install ## build, deploy into an emulated account, open the doors
	@$(LOCAL)/backstairs up

test: install ## run every test
	@$(LOCAL)/pytest

lint: install ## ruff, mypy, cfn-lint, sam validate, checkov
	$(LOCAL)/ruff check .
	$(LOCAL)/ruff format --check .
	$(LOCAL)/mypy
	$(TOOLS)/cfn-lint template.yaml stacks/*.yaml
	$(TOOLS)/sam validate --lint --region us-east-1
	$(TOOLS)/checkov --quiet --compact --config-file .checkov.yaml

install: .venv/local/.installed .venv/tools/.installed .venv/runtime/.installed

.venv/uv/.installed: requirements/uv.txt
	@echo "installing uv into .venv/uv"
	@$(PYTHON) -m venv .venv/uv
	@.venv/uv/bin/pip install --quiet --require-hashes --requirement requirements/uv.txt
	@touch $@

.venv/%/.installed: requirements/%.txt .venv/uv/.installed
	@echo "installing requirements/$*.txt into .venv/$*"
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv/$*
	@$(UV) pip sync --quiet --require-hashes --python .venv/$* requirements/$*.txt
	@touch $@

# `backstairs` itself is installed from this folder, editable.
.venv/local/.installed: requirements/local.txt pyproject.toml .venv/uv/.installed
	@echo "installing requirements/local.txt into .venv/local"
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv/local
	@$(UV) pip sync --quiet --require-hashes --python .venv/local requirements/local.txt
	@$(UV) pip install --quiet --no-deps --no-build-isolation --python .venv/local --editable .
	@touch $@

COMPILE = $(UV) pip compile --quiet --upgrade --generate-hashes --no-emit-index-url --no-header

lock: .venv/uv/.installed ## renew the hashed requirements from the .in files
	for name in uv local tools runtime; do \
	  $(COMPILE) --universal --python-version 3.11 requirements/$$name.in --output-file requirements/$$name.txt; \
	done

clean: ## remove what was installed and built
	rm -rf .venv .aws-sam .backstairs

.PHONY: up test lint install lock clean
