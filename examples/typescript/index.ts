import * as pulumi from "@pulumi/pulumi";
import * as escOidc from "@pulumi/esc-oidc";

const config = new pulumi.Config();

const login = new escOidc.PulumiEscOidc("login", {
    organization: config.require("organization"),
    project: config.get("escProject") ?? "aws",
    environment: config.get("escEnvironment") ?? "dev",
    // Required, because an undefined list means everyone: Pulumi drops it before the component sees it.
    allowedUsers: config.requireObject<string[]>("users"),
    policyArns: ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
    region: "us-east-1",
});

export const openCommand = login.openCommand;
export const roleArn = login.roleArn;
export const subjects = login.subjects;
