"""An AWS account and a Pulumi Cloud on loopback, in one process: the whole story with nothing but Python."""
