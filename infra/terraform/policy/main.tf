# One of ../../policies as text, with its places filled in. Needs no provider.

variable "name" {
  type        = string
  description = "Of the file: writer, reader, handoff, maintainer or aws-bucket"
}

variable "bucket" {
  type = string
}

variable "prefix" {
  type = string
}

variable "writer" {
  type        = string
  default     = ""
  description = "The id of the machine, where the policy is one machine's"
}

variable "partition" {
  type    = string
  default = "aws"
}

locals {
  plain     = file("${path.module}/../../policies/${var.name}.json")
  in_bucket = replace(local.plain, "arn:aws:s3:::BUCKET", "arn:${var.partition}:s3:::${var.bucket}")
}

output "json" {
  value = replace(replace(local.in_bucket, "PREFIX/", "${var.prefix}/"), "WRITER", var.writer)
}
