output "location" {
  description = "For stateferry init and join"
  value       = "s3://${var.bucket}/${var.prefix}?region=${aws_s3_bucket.ferry.region}"
}

output "users" {
  value = { for role, user in aws_iam_user.role : role => user.name }
}

output "policy_arns" {
  value = { for role, policy in aws_iam_policy.role : role => policy.arn }
}
