# plugins.pkr.hcl - for Packer 1.7 and later; older ones have the builder in themselves and
# refuse this block, so that it stands alone.
packer {
  required_plugins {
    amazon = {
      source  = "github.com/hashicorp/amazon"
      version = ">= 1.3"
    }
  }
}
