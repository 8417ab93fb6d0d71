#!/bin/sh
# cfn-lint 1.58.0 refuses AutoPublishAliasAllProperties in Globals (E3724), where SAM takes it: the list
# of what Globals.Function may hold in aws-sam-translator 1.115.0, which cfn-lint installs, has it.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check cfn-lint==1.58.0 aws-sam-translator==1.115.0
cat > "$folder/template.yaml" <<'YAML'
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    AutoPublishAliasAllProperties: true
Resources:
  Function:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: s3://bucket/key
      Handler: a.b
      Runtime: python3.13
      AutoPublishAlias: live
YAML
"$folder/venv/bin/python" - <<'PYTHON'
from samtranslator.plugins.globals.globals import Globals
known = Globals.supported_properties["AWS::Serverless::Function"]
print("SAM's Globals.Function:", "AutoPublishAliasAllProperties" in known)
assert "AutoPublishAliasAllProperties" in known
PYTHON
said=$("$folder/venv/bin/cfn-lint" "$folder/template.yaml" || true)
echo "$said"
echo "$said" | grep -q "E3724 Additional properties are not allowed ('AutoPublishAliasAllProperties'"
