"""The Pulumi program: one stack per environment, named like its values file."""

import pulumi
from airflow_kubernetes import environment, program
from airflow_kubernetes.errors import UserError

try:
    stack = environment.from_stack(pulumi.get_stack(), pulumi.Config())
except UserError as error:
    raise pulumi.RunError(str(error)) from None  # the message is all that a user needs

for warning in stack.warnings:
    pulumi.log.warn(warning)
program.build(stack)
