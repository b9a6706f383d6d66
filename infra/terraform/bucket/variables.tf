variable "bucket" {
  type        = string
  description = "The name of the bucket that is made"
}

variable "prefix" {
  type        = string
  default     = "ferry"
  description = "Where the repository lies in it: s3://BUCKET/PREFIX"
  validation {
    condition     = can(regex("^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$", var.prefix))
    error_message = "Letters, digits, dots, dashes and underscores between single slashes."
  }
}

variable "object_lock" {
  type        = bool
  default     = true
  description = "Whether objects can be locked at all; it locks nothing by itself"
}

variable "lock_days" {
  type        = number
  default     = 0
  description = "Days that nobody can delete a new object version (GOVERNANCE); 0: none"
}

variable "noncurrent_days" {
  type        = number
  default     = 30
  description = "Days until what was deleted or replaced is gone for good"
}
