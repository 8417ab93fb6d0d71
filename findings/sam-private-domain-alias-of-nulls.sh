#!/bin/sh
# aws-sam-translator 1.115.0: a PRIVATE custom domain with Route53 and nothing but HostedZoneId becomes a record
# whose alias target is null twice. It wants VpcEndpointDomainName and
# VpcEndpointHostedZoneId as well, and does not say so.
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
domain = {"DomainName": "api.example.com", "EndpointConfiguration": "PRIVATE", "Route53": {"HostedZoneId": "Z1"},
          "CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/a"}
resources = translated({"EndpointConfiguration": {"Type": "PRIVATE"}, "Domain": domain}, OWN).values()
group = next(one for one in resources if one["Type"] == "AWS::Route53::RecordSetGroup")
alias = group["Properties"]["RecordSets"][0]["AliasTarget"]
print(alias)
assert alias == {"HostedZoneId": None, "DNSName": None}
PYTHON
"$folder/venv/bin/python" "$folder/see.py" 2>/dev/null
