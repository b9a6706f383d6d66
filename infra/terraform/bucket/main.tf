# A bucket for stateferry: versions, Object Lock, TLS only, nothing public; and the users that read and maintain it.
# The same as ../../cloudformation/bucket.json. Applied on LocalStack with version 6 of the provider, never on AWS.

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

resource "aws_s3_bucket" "ferry" {
  bucket              = var.bucket
  object_lock_enabled = var.object_lock

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_versioning" "ferry" {
  bucket = aws_s3_bucket.ferry.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_object_lock_configuration" "ferry" {
  count  = var.object_lock && var.lock_days > 0 ? 1 : 0
  bucket = aws_s3_bucket_versioning.ferry.bucket
  rule {
    default_retention {
      mode = "GOVERNANCE"
      days = var.lock_days
    }
  }
}

resource "aws_s3_bucket_public_access_block" "ferry" {
  bucket                  = aws_s3_bucket.ferry.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "ferry" {
  bucket = aws_s3_bucket.ferry.id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "ferry" {
  bucket = aws_s3_bucket.ferry.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "ferry" {
  bucket = aws_s3_bucket_versioning.ferry.bucket

  rule {
    id     = "EndUnfinishedUploads"
    status = "Enabled"
    filter {}
    abort_incomplete_multipart_upload {
      days_after_initiation = 3
    }
  }

  rule {
    id     = "ForgetWhatWasDeleted"
    status = "Enabled"
    filter {}
    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_days
    }
    expiration {
      expired_object_delete_marker = true
    }
  }
}

module "policy" {
  for_each  = toset(["aws-bucket", "reader", "maintainer"])
  source    = "../policy"
  name      = each.key
  bucket    = var.bucket
  prefix    = var.prefix
  partition = data.aws_partition.here.partition
}

resource "aws_s3_bucket_policy" "ferry" {
  bucket     = aws_s3_bucket.ferry.id
  policy     = module.policy["aws-bucket"].json
  depends_on = [aws_s3_bucket_public_access_block.ferry]
}

resource "aws_iam_policy" "role" {
  for_each    = toset(["reader", "maintainer"])
  name_prefix = "stateferry-${each.key}-"
  policy      = module.policy[each.key].json
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
