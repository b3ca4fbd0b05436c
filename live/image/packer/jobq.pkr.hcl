# jobq.pkr.hcl - builds the machine image of a box: Debian 12 with jobq's package, one image for
# each architecture. What a box drains is no part of it: user data says that at the first boot.
#
#   make deb && packer init live/image/packer     (Packer 1.10 and later reads plugins.pkr.hcl)
#   packer build -var region=us-east-1 -var deb_dir=build/deb live/image/packer
#
# To build for arm64 the packages must have been built there (deb_dir holds what dpkg named).

variable "region" {
  type    = string
  default = "us-east-1"
}

variable "deb_dir" {
  type        = string
  description = "The folder that holds jobq_*.deb and libjobq0_*.deb of both architectures."
  default     = "build/deb"
}

variable "architectures" {
  type        = map(string)
  description = "Debian's name of each architecture to build, and the type of the builder."
  default = {
    amd64 = "t3.small"
    arm64 = "t4g.small"
  }
}

locals {
  stamp = formatdate("YYYYMMDD-hhmm", timestamp())
  ec2_architecture = {
    amd64 = "x86_64"
    arm64 = "arm64"
  }
}

source "amazon-ebs" "box" {
  region        = var.region
  ssh_username  = "admin"
  ebs_optimized = true

  run_tags = {
    Name = "jobq image builder"
  }
}

build {
  dynamic "source" {
    for_each = var.architectures
    labels   = ["source.amazon-ebs.box"]
    content {
      name          = source.key
      instance_type = source.value
      ami_name      = "jobq-${source.key}-${local.stamp}"
      source_ami_filter {
        # The images of Debian's cloud team.
        owners      = ["136693071363"]
        most_recent = true
        filters = {
          name                = "debian-12-${source.key}-*"
          architecture        = local.ec2_architecture[source.key]
          root-device-type    = "ebs"
          virtualization-type = "hvm"
        }
      }
      tags = {
        Name   = "jobq-${source.key}"
        source = "{{ .SourceAMIName }}"
      }
    }
  }

  # Packer does not wait for the builder's own first boot.
  provisioner "shell" {
    inline = ["cloud-init status --wait"]
  }
  provisioner "file" {
    source      = "${var.deb_dir}/"
    destination = "/tmp"
  }
  provisioner "shell" {
    script = "live/image/packer/provision.sh"
  }
}
