# One machine that pushes: a user for its nightly push, another for its handoff.
# The same as ../../cloudformation/machine.json.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

data "aws_partition" "here" {}

module "policy" {
  for_each  = toset(["writer", "handoff"])
  source    = "../policy"
  name      = each.key
  bucket    = var.bucket
  prefix    = var.prefix
  writer    = var.writer
  partition = data.aws_partition.here.partition
}

resource "aws_iam_policy" "role" {
  for_each    = module.policy
  name_prefix = "stateferry-${each.key}-"
  policy      = each.value.json
}

resource "aws_iam_user" "role" {
  for_each = aws_iam_policy.role
  name     = each.value.name
}

resource "aws_iam_user_policy_attachment" "role" {
  for_each   = aws_iam_policy.role
  user       = aws_iam_user.role[each.key].name
  policy_arn = each.value.arn
}
