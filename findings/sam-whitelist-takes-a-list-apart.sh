#!/bin/sh
# aws-sam-translator 1.115.0: IntrinsicVpceWhitelist as a !Ref to a list parameter becomes the list of its own key,
# ["Ref"], and as a string the list of its letters. The policy then refuses every endpoint, or is no policy of
# the endpoint named; nothing is said.
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
def endpoints(whitelist):
    api = translated({"Auth": {"ResourcePolicy": {"IntrinsicVpceWhitelist": whitelist}}}, OWN)["Api"]["Properties"]
    statements = api["Body"]["x-amazon-apigateway-policy"]["Statement"]
    return next(one["Condition"]["StringNotEquals"]["aws:SourceVpce"] for one in statements if one["Effect"] == "Deny")

of_list, of_string = endpoints({"Ref": "Endpoints"}), endpoints("vpce-1")
print(of_list, of_string)
assert of_list == ["Ref"] and of_string == list("vpce-1")
PYTHON
"$folder/venv/bin/python" "$folder/see.py" 2>/dev/null
