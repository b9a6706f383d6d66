output "users" {
  value = { for role, user in aws_iam_user.role : role => user.name }
}

output "policy_arns" {
  value = { for role, policy in aws_iam_policy.role : role => policy.arn }
}
