#!/bin/sh
# aws-sam-translator 1.115.0: the logical id of an API's deployment is a digest that VPCEndpointIds do not go
# into. Change them alone and the template that SAM makes holds the same AWS::ApiGateway::Deployment.
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
def deployment(endpoint, version):
    api = {"EndpointConfiguration": {"Type": "PRIVATE", "VPCEndpointIds": [endpoint]}, "OpenApiVersion": version}
    return next(name for name, one in translated(api, OWN).items() if one["Type"] == "AWS::ApiGateway::Deployment")

first, second = deployment("vpce-11111111", "3.0.1"), deployment("vpce-22222222", "3.0.1")
print(first, second, deployment("vpce-11111111", "2.0"))
assert first == second != deployment("vpce-11111111", "2.0")
PYTHON
"$folder/venv/bin/python" "$folder/see.py" 2>/dev/null
