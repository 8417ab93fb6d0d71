#!/bin/sh
# aws-sam-cli 1.170.0: `sam build` of a template whose resources partly come in by Fn::Transform AWS::Include
# succeeds, builds the functions that it sees, and says nothing of those in the included file, which are
# deployed from their sources without dependencies.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check aws-sam-cli==1.170.0
export SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1
cd "$folder"
mkdir one two
for name in one two; do
  echo "def handler(event, context): pass" > $name/index.py
  printf 'build-%s:\n\tcp index.py "$(ARTIFACTS_DIR)/"\n' "$(echo $name | sed 's/one/One/;s/two/Two/')" > $name/Makefile
done
cat > more.yaml <<'YAML'
Two:
  Type: AWS::Serverless::Function
  Metadata: {BuildMethod: makefile}
  Properties: {CodeUri: two, Handler: index.handler, Runtime: provided.al2023}
YAML
cat > template.yaml <<'YAML'
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  One:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties: {CodeUri: one, Handler: index.handler, Runtime: provided.al2023}
  Fn::Transform: {Name: AWS::Include, Parameters: {Location: more.yaml}}
YAML
said=$("$folder/venv/bin/sam" build 2>&1) || { echo "$said"; exit 1; }
ls .aws-sam/build
test -d .aws-sam/build/One
test ! -e .aws-sam/build/Two
if echo "$said" | grep -q "Two\|more.yaml"; then echo "$said"; exit 1; fi
