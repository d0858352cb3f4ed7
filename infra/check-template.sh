#!/usr/bin/env bash
# Lints template.yaml and runs it through the SAM translator, as a deployment
# would. Needs python3 with cfn-lint and aws-sam-translator.
set -euo pipefail
cd "$(dirname "$0")/.."
cfn-lint --template template.yaml --regions us-east-1 sa-east-1
exec python3 infra/translate-template.py template.yaml
