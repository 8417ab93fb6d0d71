#!/bin/sh
# aws-sam-translator 1.115.0: an AWS::Serverless::Api with MergeDefinitions and a DefinitionBody whose
# `paths` is empty (valid OpenAPI) loses the routes of all its functions' events, without a word. With
# one path declared, the routes come, but the request validator that RequestModel asks for is named on
# the method and declared nowhere, and the model is a Swagger 2 body parameter in an OpenAPI 3 document.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check aws-sam-translator==1.115.0
cat > "$folder/see.py" <<'PYTHON'
import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

def body(paths):
    event = {"RestApiId": {"Ref": "Api"}, "Method": "POST", "Path": "/things",
             "RequestModel": {"Model": "Thing", "Required": True, "ValidateBody": True}}
    api = {"StageName": "dev", "OpenApiVersion": "3.0.1", "MergeDefinitions": True,
           "Models": {"Thing": {"type": "object"}},
           "DefinitionBody": {"openapi": "3.0.1", "info": {"title": "things", "version": "1"}, "paths": paths}}
    function = {"CodeUri": "s3://bucket/key", "Handler": "a.b", "Runtime": "python3.13",
                "Events": {"Create": {"Type": "Api", "Properties": event}}}
    template = {"Transform": "AWS::Serverless-2016-10-31", "Resources": {
        "Api": {"Type": "AWS::Serverless::Api", "Properties": api},
        "Function": {"Type": "AWS::Serverless::Function", "Properties": function}}}
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name="us-east-1"))
    translated = translator.translate(template, parameter_values={})
    return translated["Resources"]["Api"]["Properties"]["Body"]

empty, named = body({}), body({"/things": {"post": {}}})
method = named["paths"]["/things"]["post"]
print("paths: {}                  ->", empty["paths"])
print("paths: {/things: {post}}   ->", sorted(method))
print("validator of the method    ->", method["x-amazon-apigateway-request-validator"])
print("validators of the document ->", named.get("x-amazon-apigateway-request-validators"))
print("the model                  ->", method["parameters"], "requestBody" in method)
assert empty["paths"] == {}
assert method["x-amazon-apigateway-request-validator"] == "body-only"
assert "x-amazon-apigateway-request-validators" not in named
assert method["parameters"][0]["in"] == "body" and "requestBody" not in method
PYTHON
"$folder/venv/bin/python" "$folder/see.py" 2>/dev/null
