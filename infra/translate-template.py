"""Translates a SAM template to CloudFormation and checks what came out.

Says no when the translator refuses the template, when a function would not
find its program's folder name, or when a route other than login is open to
everybody.
"""

import os
import pathlib
import sys

# The translator asks boto3 for the region and nothing else; no account is used.
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

from samtranslator.parser.parser import Parser  # noqa: E402
from samtranslator.public.translator import ManagedPolicyLoader  # noqa: E402
from samtranslator.translator.translator import Translator  # noqa: E402
from cfnlint.decode.cfn_yaml import load  # noqa: E402

OPEN_ROUTES = {("/api/auth/login", "post")}
MANAGED = {
    name: f"arn:aws:iam::aws:policy/service-role/{name}"
    for name in ("AWSLambdaBasicExecutionRole", "AWSLambdaVPCAccessExecutionRole")
}


class Policies(ManagedPolicyLoader):
    """The managed policies that SAM adds, without asking an account."""

    def __init__(self):
        super().__init__(None)

    def load(self):
        return MANAGED


def plain(node):
    if isinstance(node, dict):
        return {str(k): plain(v) for k, v in node.items()}
    if isinstance(node, list):
        return [plain(v) for v in node]
    return str(node) if isinstance(node, str) else node


def main(path):
    template = plain(load(path))
    functions = {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    problems = []
    root = pathlib.Path(path).resolve().parent
    for name, properties in functions.items():
        folder = properties["CodeUri"].removeprefix("build/")
        if not (root / "functions" / folder / "main.go").exists():
            problems.append(f"{name}: functions/{folder}/main.go does not exist")
        if not (root / "events" / f"{folder}.json").exists():
            problems.append(f"{name}: events/{folder}.json does not exist")
        # Local folders are not something the translator takes; sam deploy
        # uploads them and puts such a URL in their place.
        properties["CodeUri"] = f"s3://bucket/{folder}"
    for folder in sorted((root / "functions").glob("*/main.go")):
        if not any(p["CodeUri"] == f"s3://bucket/{folder.parent.name}" for p in functions.values()):
            problems.append(f"functions/{folder.parent.name} is in no template")

    parameters = {
        name: p["Default"] for name, p in template["Parameters"].items() if "Default" in p
    }
    translated = Translator(Policies().load(), Parser()).translate(template, parameters)
    for name, resource in translated["Resources"].items():
        if resource["Type"] != "AWS::ApiGateway::RestApi":
            continue
        for route, methods in resource["Properties"]["Body"]["paths"].items():
            for method, operation in methods.items():
                if method == "options":
                    if operation.get("security"):
                        problems.append(f"preflight of {route} asks for an identity")
                    continue
                guarded = any("NONE" not in s for s in operation.get("security", []))
                if guarded == ((route, method) in OPEN_ROUTES):
                    problems.append(f"{method} {route}: guarded is {guarded}")
    if problems:
        sys.exit("\n".join(problems))
    print(f"{path}: {len(functions)} functions, {len(translated['Resources'])} resources after translation")


if __name__ == "__main__":
    main(sys.argv[1])
