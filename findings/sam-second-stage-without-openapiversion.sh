#!/bin/sh
# aws-sam-translator 1.115.0: an Api without OpenApiVersion gets two stages: the one it names, and one that is
# called "Stage", by the StageName of the AWS::ApiGateway::Deployment. It serves the same routes.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check aws-sam-translator==1.115.0
cat > "$folder/see.py" <<'PYTHON'
import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

def translated(api, event):
    event = {"Type": "Api", "Properties": {"Method": "GET", "Path": "/things", **event}}
    function = {"CodeUri": "s3://bucket/key", "Handler": "a.b", "Runtime": "python3.13", "Events": {"Get": event}}
    template = {"Transform": "AWS::Serverless-2016-10-31", "Parameters": {"Endpoints": {"Type": "CommaDelimitedList"}},
                "Resources": {"Api": {"Type": "AWS::Serverless::Api", "Properties": {"StageName": "dev", **api}},
                              "Function": {"Type": "AWS::Serverless::Function", "Properties": function}}}
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name="us-east-1"))
    return translator.translate(template, parameter_values={})["Resources"]

OWN = {"RestApiId": {"Ref": "Api"}}
def stages(api):
    kinds = ("AWS::ApiGateway::Deployment", "AWS::ApiGateway::Stage")
    found = [one["Properties"].get("StageName") for one in translated(api, OWN).values() if one["Type"] in kinds]
    return sorted(name for name in found if name)

without, with_one = stages({}), stages({"OpenApiVersion": "3.0.1"})
print("without:", without, "with:", with_one)
assert (without, with_one) == (["Stage", "dev"], ["dev"])
PYTHON
"$folder/venv/bin/python" "$folder/see.py" 2>/dev/null
