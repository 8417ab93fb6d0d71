#!/bin/sh
# aws-sam-translator 1.115.0: of SourceVpcWhitelist SAM takes what begins with vpc- or vpce- when it translates,
# and drops the rest without a word: by a parameter with a placeholder or a name in it the API has the policy {},
# which is none. (Of other intrinsics it says that it wants strings.)
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check aws-sam-translator==1.115.0
cat > "$folder/see.py" <<'PYTHON'
import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

def policy(whitelist):
    event = {"Type": "Api", "Properties": {"Method": "GET", "Path": "/things", "RestApiId": {"Ref": "Api"}}}
    function = {"CodeUri": "s3://bucket/key", "Handler": "a.b", "Runtime": "python3.13", "Events": {"Get": event}}
    auth = {"ResourcePolicy": {"SourceVpcWhitelist": whitelist}}
    template = {"Transform": "AWS::Serverless-2016-10-31", "Parameters": {"Endpoint": {"Type": "String"}},
                "Resources": {"Api": {"Type": "AWS::Serverless::Api", "Properties": {"StageName": "dev", "Auth": auth}},
                              "Function": {"Type": "AWS::Serverless::Function", "Properties": function}}}
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name="us-east-1"))
    api = translator.translate(template, parameter_values={"Endpoint": "<endpoint>"})["Resources"]["Api"]
    return api["Properties"]["Body"].get("x-amazon-apigateway-policy")

placeholder, of_id = policy([{"Ref": "Endpoint"}]), policy(["vpce-1"])
print("a placeholder:", placeholder, "an id:", len(of_id["Statement"]), "statements")
assert not placeholder and len(of_id["Statement"]) == 2
PYTHON
"$folder/venv/bin/python" "$folder/see.py" 2>/dev/null
