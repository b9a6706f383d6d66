variable "bucket" {
  type = string
}

variable "prefix" {
  type    = string
  default = "ferry"
}

variable "writer" {
  type        = string
  description = "The id that stateferry init or join told on that machine"
  validation {
    condition     = can(regex("^[0-9a-f]{32}$", var.writer))
    error_message = "32 digits and letters, as stateferry told them."
  }
}
