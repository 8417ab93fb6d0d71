#!/bin/sh
# aws-sam-cli 1.170.0: with --beta-features (which BuildMethod: python-uv asks for) a cached build that
# finds everything in its cache does not copy it but links to it. The cache belongs to all templates of a
# folder, and building one of them removes what the others have there. So `sam build` of one template, into
# a build folder of its own, breaks the build of another: `sam deploy` of that then ends with "Unable to
# upload artifact ../cache/...". Without --beta-features the first build stays whole.
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check aws-sam-cli==1.170.0
export SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1
cd "$folder"
for name in one two; do
  mkdir $name
  printf 'build-Shared:\n\tcp note.txt "$(ARTIFACTS_DIR)/"\n' > $name/Makefile
  echo $name > $name/note.txt
  cat > $name.yaml <<YAML
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Shared:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: makefile}
    Properties:
      ContentUri: $name
      CompatibleRuntimes: [python3.13]
YAML
done
# build TEMPLATE OPTION: into .aws-sam/TEMPLATE
build() {
  venv/bin/sam build --cached "$2" -t "$1.yaml" --build-dir ".aws-sam/$1" > log 2>&1 || { cat log; exit 1; }
}
note() {
  cat .aws-sam/one/Shared/note.txt 2>/dev/null || echo gone
}
for option in --no-beta-features --beta-features; do
  rm -rf .aws-sam
  build one $option; build one $option
  before=$(note)
  build two $option
  echo "$option: before the other build: $before, after it: $(note)"
  case $option in
    --beta-features) [ "$before/$(note)" = one/gone ] || exit 1 ;;
    *) [ "$before/$(note)" = one/one ] || exit 1 ;;
  esac
done
