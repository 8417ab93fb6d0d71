#!/bin/sh
# aws-sam-translator 1.115.0: an Api event without RestApiId does not join the one API of the template, which is
# PRIVATE: SAM makes a second API, ServerlessRestApi, which is public, with the route on it, without a word.
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
apis = {name: one["Properties"].get("EndpointConfiguration", "none, so public")
        for name, one in translated({"EndpointConfiguration": {"Type": "PRIVATE"}}, {}).items()
        if one["Type"] == "AWS::ApiGateway::RestApi"}
print(apis)
assert apis == {"Api": {"Types": ["PRIVATE"]}, "ServerlessRestApi": "none, so public"}
PYTHON
"$folder/venv/bin/python" "$folder/see.py" 2>/dev/null
