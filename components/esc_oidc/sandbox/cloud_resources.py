"""What the sandbox's engine creates in Pulumi Cloud, through the REST calls that Pulumi's provider makes."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pulumi

from .iam_resources import Made
from .requests import call_cloud


class CloudResources:
    """Creates resources of the package pulumiservice.

    Args:
        url: Where Pulumi Cloud answers.
        access_token: Gives, for an organization, the token with which the program acts.
    """

    def __init__(self, url: str, access_token: Callable[[str], str]) -> None:
        self._url, self._access_token = url, access_token
        self.kinds: Mapping[str, Callable[[str, Mapping[str, Any]], Made]] = {
            "pulumiservice:index:Environment": self._environment,
            "pulumiservice:index:DeploymentSettings": self._deployment_settings,
        }

    def _environment(self, _name: str, inputs: Mapping[str, Any]) -> Made:
        """The calls that Pulumi's provider makes to create an environment, in its order."""
        organization, project, name = inputs["organization"], inputs.get("project", "default"), inputs["name"]
        token = self._access_token(organization)
        base, definition = f"/api/esc/environments/{organization}", _text_of(inputs["yaml"]).strip()
        self._call(token, "POST", f"{base}/yaml/check?showSecrets=false", definition)
        self._call(token, "POST", base, json.dumps({"project": project, "name": name}))
        self._call(token, "PATCH", f"{base}/{project}/{name}", definition)
        metadata = self._call(token, "GET", f"{base}/{project}/{name}/metadata")
        reference = f"{organization}/{project}/{name}"
        return reference, {**inputs, "revision": 2, "environmentId": metadata["id"]}, reference

    def _deployment_settings(self, _name: str, inputs: Mapping[str, Any]) -> Made:
        """One call, with the names and durations as Pulumi's provider writes them on the wire."""
        stack = f"{inputs['organization']}/{inputs['project']}/{inputs['stack']}"
        context = dict(inputs.get("operationContext") or {})
        aws = context.get("oidc", {}).get("aws")
        if aws:
            names = {"roleARN": "roleArn", "policyARNs": "policyArns"}
            context["oidc"] = {"aws": {names.get(key, key): value for key, value in aws.items()}}
        body = json.dumps({"operationContext": context})
        token = self._access_token(inputs["organization"])
        self._call(token, "PUT", f"/api/stacks/{stack}/deployments/settings", body)
        return stack, dict(inputs), f"deployment settings of {stack}"

    def _call(self, token: str, method: str, path: str, body: str | None = None) -> Any:
        return call_cloud(self._url, token, method, path, body)


def _text_of(asset: Any) -> str:
    """The text of a definition, whether the program has it in a string or in a file."""
    if isinstance(asset, pulumi.StringAsset):
        return asset.text
    if isinstance(asset, pulumi.FileAsset):
        return Path(asset.path).read_text(encoding="utf-8")
    raise TypeError(f"a definition is a StringAsset or a FileAsset, not a {type(asset).__name__}")
