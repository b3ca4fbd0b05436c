/* types.c - what the instance types are.
 *
 * Room:     models, the facts.
 *
 * vCPUs and memory: AWS's instance type pages, by their rule a family (c 2, m 4, r 8 GiB a
 * vCPU; large 2, xlarge 4, Nxlarge 4 N vCPUs; from the sixth Graviton and the seventh Intel
 * generation on a vCPU is what AWS calls one). 2012 types: the 2012 page. On-demand dollars:
 * us-east-1 2026-07-20, karpenter-provider-aws's generated table. Spot dollars: AWS's own
 * pricing JSON of June 2012 (iconara/ec2pricing). */
#include "models/ec2/ec2.h"

#include "base/text.h"

#include <assert.h>
#include <string.h>

/* name, arch, vCPUs, MiB, on demand, spot, burstable, current */
static const struct ec2_type types[] = {
    {"t1.micro", "x86_64", 1, 613, 0.020000, 0.003, true, false},
    {"m1.small", "x86_64", 1, 1740, 0.044000, 0.007, false, false},
    {"m1.medium", "x86_64", 1, 3840, 0.087000, 0.013, false, false},
    {"m1.large", "x86_64", 2, 7680, 0.175000, 0.026, false, false},
    {"m1.xlarge", "x86_64", 4, 15360, 0.350000, 0.052, false, false},
    {"c1.medium", "x86_64", 2, 1740, 0.130000, 0.018, false, false},
    {"c1.xlarge", "x86_64", 8, 7168, 0.520000, 0.07, false, false},
    {"m2.xlarge", "x86_64", 2, 17510, 0.245000, 0.035, false, false},
    {"m2.2xlarge", "x86_64", 4, 35020, 0.490000, 0, false, false},
    {"m2.4xlarge", "x86_64", 8, 70041, 0.980000, 0, false, false},
    {"m3.medium", "x86_64", 1, 3840, 0.067000, 0, false, false},
    {"m3.large", "x86_64", 2, 7680, 0.133000, 0, false, false},
    {"m3.xlarge", "x86_64", 4, 15360, 0.266000, 0, false, false},
    {"m3.2xlarge", "x86_64", 8, 30720, 0.532000, 0, false, false},
    {"cc1.4xlarge", "x86_64", 16, 23552, 0, 0.208, false, false},
    {"cc2.8xlarge", "x86_64", 32, 61952, 0, 0.253, false, false},
    {"t2.nano", "x86_64", 1, 512, 0.005800, 0, true, true},
    {"t2.micro", "x86_64", 1, 1024, 0.011600, 0, true, true},
    {"t2.small", "x86_64", 1, 2048, 0.023000, 0, true, true},
    {"t2.medium", "x86_64", 2, 4096, 0.046400, 0, true, true},
    {"t2.large", "x86_64", 2, 8192, 0.092800, 0, true, true},
    {"t2.xlarge", "x86_64", 4, 16384, 0.185600, 0, true, true},
    {"t2.2xlarge", "x86_64", 8, 32768, 0.371200, 0, true, true},
    {"t3.nano", "x86_64", 2, 512, 0.005200, 0, true, true},
    {"t3.micro", "x86_64", 2, 1024, 0.010400, 0, true, true},
    {"t3.small", "x86_64", 2, 2048, 0.020800, 0, true, true},
    {"t3.medium", "x86_64", 2, 4096, 0.041600, 0, true, true},
    {"t3.large", "x86_64", 2, 8192, 0.083200, 0, true, true},
    {"t3.xlarge", "x86_64", 4, 16384, 0.166400, 0, true, true},
    {"t3.2xlarge", "x86_64", 8, 32768, 0.332800, 0, true, true},
    {"t3a.nano", "x86_64", 2, 512, 0.004700, 0, true, true},
    {"t3a.micro", "x86_64", 2, 1024, 0.009400, 0, true, true},
    {"t3a.small", "x86_64", 2, 2048, 0.018800, 0, true, true},
    {"t3a.medium", "x86_64", 2, 4096, 0.037600, 0, true, true},
    {"t3a.large", "x86_64", 2, 8192, 0.075200, 0, true, true},
    {"t3a.xlarge", "x86_64", 4, 16384, 0.150400, 0, true, true},
    {"t3a.2xlarge", "x86_64", 8, 32768, 0.300800, 0, true, true},
    {"t4g.nano", "arm64", 2, 512, 0.004200, 0, true, true},
    {"t4g.micro", "arm64", 2, 1024, 0.008400, 0, true, true},
    {"t4g.small", "arm64", 2, 2048, 0.016800, 0, true, true},
    {"t4g.medium", "arm64", 2, 4096, 0.033600, 0, true, true},
    {"t4g.large", "arm64", 2, 8192, 0.067200, 0, true, true},
    {"t4g.xlarge", "arm64", 4, 16384, 0.134400, 0, true, true},
    {"t4g.2xlarge", "arm64", 8, 32768, 0.268800, 0, true, true},
    {"m4.large", "x86_64", 2, 8192, 0.100000, 0, false, true},
    {"m4.xlarge", "x86_64", 4, 16384, 0.200000, 0, false, true},
    {"m4.2xlarge", "x86_64", 8, 32768, 0.400000, 0, false, true},
    {"m4.4xlarge", "x86_64", 16, 65536, 0.800000, 0, false, true},
    {"m4.10xlarge", "x86_64", 40, 163840, 2.000000, 0, false, true},
    {"m4.16xlarge", "x86_64", 64, 262144, 3.200000, 0, false, true},
    {"m5.large", "x86_64", 2, 8192, 0.096000, 0, false, true},
    {"m5.xlarge", "x86_64", 4, 16384, 0.192000, 0, false, true},
    {"m5.2xlarge", "x86_64", 8, 32768, 0.384000, 0, false, true},
    {"m5.4xlarge", "x86_64", 16, 65536, 0.768000, 0, false, true},
    {"m5.8xlarge", "x86_64", 32, 131072, 1.536000, 0, false, true},
    {"m5.12xlarge", "x86_64", 48, 196608, 2.304000, 0, false, true},
    {"m5.16xlarge", "x86_64", 64, 262144, 3.072000, 0, false, true},
    {"m5.24xlarge", "x86_64", 96, 393216, 4.608000, 0, false, true},
    {"m5a.large", "x86_64", 2, 8192, 0.086000, 0, false, true},
    {"m5a.xlarge", "x86_64", 4, 16384, 0.172000, 0, false, true},
    {"m5a.2xlarge", "x86_64", 8, 32768, 0.344000, 0, false, true},
    {"m5a.4xlarge", "x86_64", 16, 65536, 0.688000, 0, false, true},
    {"m5a.8xlarge", "x86_64", 32, 131072, 1.376000, 0, false, true},
    {"m5a.12xlarge", "x86_64", 48, 196608, 2.064000, 0, false, true},
    {"m5a.16xlarge", "x86_64", 64, 262144, 2.752000, 0, false, true},
    {"m5a.24xlarge", "x86_64", 96, 393216, 4.128000, 0, false, true},
    {"m6i.large", "x86_64", 2, 8192, 0.096000, 0, false, true},
    {"m6i.xlarge", "x86_64", 4, 16384, 0.192000, 0, false, true},
    {"m6i.2xlarge", "x86_64", 8, 32768, 0.384000, 0, false, true},
    {"m6i.4xlarge", "x86_64", 16, 65536, 0.768000, 0, false, true},
    {"m6i.8xlarge", "x86_64", 32, 131072, 1.536000, 0, false, true},
    {"m6i.12xlarge", "x86_64", 48, 196608, 2.304000, 0, false, true},
    {"m6i.16xlarge", "x86_64", 64, 262144, 3.072000, 0, false, true},
    {"m6i.24xlarge", "x86_64", 96, 393216, 4.608000, 0, false, true},
    {"m6i.32xlarge", "x86_64", 128, 524288, 6.144000, 0, false, true},
    {"m6a.large", "x86_64", 2, 8192, 0.086400, 0, false, true},
    {"m6a.xlarge", "x86_64", 4, 16384, 0.172800, 0, false, true},
    {"m6a.2xlarge", "x86_64", 8, 32768, 0.345600, 0, false, true},
    {"m6a.4xlarge", "x86_64", 16, 65536, 0.691200, 0, false, true},
    {"m6a.8xlarge", "x86_64", 32, 131072, 1.382400, 0, false, true},
    {"m6a.12xlarge", "x86_64", 48, 196608, 2.073600, 0, false, true},
    {"m6a.16xlarge", "x86_64", 64, 262144, 2.764800, 0, false, true},
    {"m6a.24xlarge", "x86_64", 96, 393216, 4.147200, 0, false, true},
    {"m6a.32xlarge", "x86_64", 128, 524288, 5.529600, 0, false, true},
    {"m6a.48xlarge", "x86_64", 192, 786432, 8.294400, 0, false, true},
    {"m6g.medium", "arm64", 1, 4096, 0.038500, 0, false, true},
    {"m6g.large", "arm64", 2, 8192, 0.077000, 0, false, true},
    {"m6g.xlarge", "arm64", 4, 16384, 0.154000, 0, false, true},
    {"m6g.2xlarge", "arm64", 8, 32768, 0.308000, 0, false, true},
    {"m6g.4xlarge", "arm64", 16, 65536, 0.616000, 0, false, true},
    {"m6g.8xlarge", "arm64", 32, 131072, 1.232000, 0, false, true},
    {"m6g.12xlarge", "arm64", 48, 196608, 1.848000, 0, false, true},
    {"m6g.16xlarge", "arm64", 64, 262144, 2.464000, 0, false, true},
    {"m7g.medium", "arm64", 1, 4096, 0.040800, 0, false, true},
    {"m7g.large", "arm64", 2, 8192, 0.081600, 0, false, true},
    {"m7g.xlarge", "arm64", 4, 16384, 0.163200, 0, false, true},
    {"m7g.2xlarge", "arm64", 8, 32768, 0.326400, 0, false, true},
    {"m7g.4xlarge", "arm64", 16, 65536, 0.652800, 0, false, true},
    {"m7g.8xlarge", "arm64", 32, 131072, 1.305600, 0, false, true},
    {"m7g.12xlarge", "arm64", 48, 196608, 1.958400, 0, false, true},
    {"m7g.16xlarge", "arm64", 64, 262144, 2.611200, 0, false, true},
    {"m7i.large", "x86_64", 2, 8192, 0.100800, 0, false, true},
    {"m7i.xlarge", "x86_64", 4, 16384, 0.201600, 0, false, true},
    {"m7i.2xlarge", "x86_64", 8, 32768, 0.403200, 0, false, true},
    {"m7i.4xlarge", "x86_64", 16, 65536, 0.806400, 0, false, true},
    {"m7i.8xlarge", "x86_64", 32, 131072, 1.612800, 0, false, true},
    {"m7i.12xlarge", "x86_64", 48, 196608, 2.419200, 0, false, true},
    {"m7i.16xlarge", "x86_64", 64, 262144, 3.225600, 0, false, true},
    {"m7i.24xlarge", "x86_64", 96, 393216, 4.838400, 0, false, true},
    {"m7i.48xlarge", "x86_64", 192, 786432, 9.676800, 0, false, true},
    {"m7i-flex.large", "x86_64", 2, 8192, 0.095760, 0, false, true},
    {"m7i-flex.xlarge", "x86_64", 4, 16384, 0.191520, 0, false, true},
    {"m7i-flex.2xlarge", "x86_64", 8, 32768, 0.383040, 0, false, true},
    {"m7i-flex.4xlarge", "x86_64", 16, 65536, 0.766080, 0, false, true},
    {"m7i-flex.8xlarge", "x86_64", 32, 131072, 1.532160, 0, false, true},
    {"m7i-flex.12xlarge", "x86_64", 48, 196608, 2.298240, 0, false, true},
    {"m7i-flex.16xlarge", "x86_64", 64, 262144, 3.064320, 0, false, true},
    {"m7a.medium", "x86_64", 1, 4096, 0.057960, 0, false, true},
    {"m7a.large", "x86_64", 2, 8192, 0.115920, 0, false, true},
    {"m7a.xlarge", "x86_64", 4, 16384, 0.231840, 0, false, true},
    {"m7a.2xlarge", "x86_64", 8, 32768, 0.463680, 0, false, true},
    {"m7a.4xlarge", "x86_64", 16, 65536, 0.927360, 0, false, true},
    {"m7a.8xlarge", "x86_64", 32, 131072, 1.854720, 0, false, true},
    {"m7a.12xlarge", "x86_64", 48, 196608, 2.782080, 0, false, true},
    {"m7a.16xlarge", "x86_64", 64, 262144, 3.709440, 0, false, true},
    {"m7a.24xlarge", "x86_64", 96, 393216, 5.564160, 0, false, true},
    {"m7a.32xlarge", "x86_64", 128, 524288, 7.418880, 0, false, true},
    {"m7a.48xlarge", "x86_64", 192, 786432, 11.128320, 0, false, true},
    {"m8g.medium", "arm64", 1, 4096, 0.044880, 0, false, true},
    {"m8g.large", "arm64", 2, 8192, 0.089760, 0, false, true},
    {"m8g.xlarge", "arm64", 4, 16384, 0.179520, 0, false, true},
    {"m8g.2xlarge", "arm64", 8, 32768, 0.359040, 0, false, true},
    {"m8g.4xlarge", "arm64", 16, 65536, 0.718080, 0, false, true},
    {"m8g.8xlarge", "arm64", 32, 131072, 1.436160, 0, false, true},
    {"m8g.12xlarge", "arm64", 48, 196608, 2.154240, 0, false, true},
    {"m8g.16xlarge", "arm64", 64, 262144, 2.872320, 0, false, true},
    {"m8g.24xlarge", "arm64", 96, 393216, 4.308480, 0, false, true},
    {"m8g.48xlarge", "arm64", 192, 786432, 8.616960, 0, false, true},
    {"m8i.large", "x86_64", 2, 8192, 0.105840, 0, false, true},
    {"m8i.xlarge", "x86_64", 4, 16384, 0.211680, 0, false, true},
    {"m8i.2xlarge", "x86_64", 8, 32768, 0.423360, 0, false, true},
    {"m8i.4xlarge", "x86_64", 16, 65536, 0.846720, 0, false, true},
    {"m8i.8xlarge", "x86_64", 32, 131072, 1.693440, 0, false, true},
    {"m8i.12xlarge", "x86_64", 48, 196608, 2.540160, 0, false, true},
    {"m8i.16xlarge", "x86_64", 64, 262144, 3.386880, 0, false, true},
    {"m8i.24xlarge", "x86_64", 96, 393216, 5.080320, 0, false, true},
    {"m8i.32xlarge", "x86_64", 128, 524288, 6.773760, 0, false, true},
    {"m8i.48xlarge", "x86_64", 192, 786432, 10.160640, 0, false, true},
    {"m8i.96xlarge", "x86_64", 384, 1572864, 20.321280, 0, false, true},
    {"m8i-flex.large", "x86_64", 2, 8192, 0.100550, 0, false, true},
    {"m8i-flex.xlarge", "x86_64", 4, 16384, 0.201100, 0, false, true},
    {"m8i-flex.2xlarge", "x86_64", 8, 32768, 0.402200, 0, false, true},
    {"m8i-flex.4xlarge", "x86_64", 16, 65536, 0.804400, 0, false, true},
    {"m8i-flex.8xlarge", "x86_64", 32, 131072, 1.608800, 0, false, true},
    {"m8i-flex.12xlarge", "x86_64", 48, 196608, 2.413200, 0, false, true},
    {"m8i-flex.16xlarge", "x86_64", 64, 262144, 3.217600, 0, false, true},
    {"c4.large", "x86_64", 2, 3840, 0.100000, 0, false, true},
    {"c4.xlarge", "x86_64", 4, 7680, 0.199000, 0, false, true},
    {"c4.2xlarge", "x86_64", 8, 15360, 0.398000, 0, false, true},
    {"c4.4xlarge", "x86_64", 16, 30720, 0.796000, 0, false, true},
    {"c4.8xlarge", "x86_64", 36, 61440, 1.591000, 0, false, true},
    {"c5.large", "x86_64", 2, 4096, 0.085000, 0, false, true},
    {"c5.xlarge", "x86_64", 4, 8192, 0.170000, 0, false, true},
    {"c5.2xlarge", "x86_64", 8, 16384, 0.340000, 0, false, true},
    {"c5.4xlarge", "x86_64", 16, 32768, 0.680000, 0, false, true},
    {"c5.9xlarge", "x86_64", 36, 73728, 1.530000, 0, false, true},
    {"c5.12xlarge", "x86_64", 48, 98304, 2.040000, 0, false, true},
    {"c5.18xlarge", "x86_64", 72, 147456, 3.060000, 0, false, true},
    {"c5.24xlarge", "x86_64", 96, 196608, 4.080000, 0, false, true},
    {"c5a.large", "x86_64", 2, 4096, 0.077000, 0, false, true},
    {"c5a.xlarge", "x86_64", 4, 8192, 0.154000, 0, false, true},
    {"c5a.2xlarge", "x86_64", 8, 16384, 0.308000, 0, false, true},
    {"c5a.4xlarge", "x86_64", 16, 32768, 0.616000, 0, false, true},
    {"c5a.8xlarge", "x86_64", 32, 65536, 1.232000, 0, false, true},
    {"c5a.12xlarge", "x86_64", 48, 98304, 1.848000, 0, false, true},
    {"c5a.16xlarge", "x86_64", 64, 131072, 2.464000, 0, false, true},
    {"c5a.24xlarge", "x86_64", 96, 196608, 3.696000, 0, false, true},
    {"c6i.large", "x86_64", 2, 4096, 0.085000, 0, false, true},
    {"c6i.xlarge", "x86_64", 4, 8192, 0.170000, 0, false, true},
    {"c6i.2xlarge", "x86_64", 8, 16384, 0.340000, 0, false, true},
    {"c6i.4xlarge", "x86_64", 16, 32768, 0.680000, 0, false, true},
    {"c6i.8xlarge", "x86_64", 32, 65536, 1.360000, 0, false, true},
    {"c6i.12xlarge", "x86_64", 48, 98304, 2.040000, 0, false, true},
    {"c6i.16xlarge", "x86_64", 64, 131072, 2.720000, 0, false, true},
    {"c6i.24xlarge", "x86_64", 96, 196608, 4.080000, 0, false, true},
    {"c6i.32xlarge", "x86_64", 128, 262144, 5.440000, 0, false, true},
    {"c6a.large", "x86_64", 2, 4096, 0.076500, 0, false, true},
    {"c6a.xlarge", "x86_64", 4, 8192, 0.153000, 0, false, true},
    {"c6a.2xlarge", "x86_64", 8, 16384, 0.306000, 0, false, true},
    {"c6a.4xlarge", "x86_64", 16, 32768, 0.612000, 0, false, true},
    {"c6a.8xlarge", "x86_64", 32, 65536, 1.224000, 0, false, true},
    {"c6a.12xlarge", "x86_64", 48, 98304, 1.836000, 0, false, true},
    {"c6a.16xlarge", "x86_64", 64, 131072, 2.448000, 0, false, true},
    {"c6a.24xlarge", "x86_64", 96, 196608, 3.672000, 0, false, true},
    {"c6a.32xlarge", "x86_64", 128, 262144, 4.896000, 0, false, true},
    {"c6a.48xlarge", "x86_64", 192, 393216, 7.344000, 0, false, true},
    {"c6g.medium", "arm64", 1, 2048, 0.034000, 0, false, true},
    {"c6g.large", "arm64", 2, 4096, 0.068000, 0, false, true},
    {"c6g.xlarge", "arm64", 4, 8192, 0.136000, 0, false, true},
    {"c6g.2xlarge", "arm64", 8, 16384, 0.272000, 0, false, true},
    {"c6g.4xlarge", "arm64", 16, 32768, 0.544000, 0, false, true},
    {"c6g.8xlarge", "arm64", 32, 65536, 1.088000, 0, false, true},
    {"c6g.12xlarge", "arm64", 48, 98304, 1.632000, 0, false, true},
    {"c6g.16xlarge", "arm64", 64, 131072, 2.176000, 0, false, true},
    {"c7g.medium", "arm64", 1, 2048, 0.036300, 0, false, true},
    {"c7g.large", "arm64", 2, 4096, 0.072500, 0, false, true},
    {"c7g.xlarge", "arm64", 4, 8192, 0.145000, 0, false, true},
    {"c7g.2xlarge", "arm64", 8, 16384, 0.290000, 0, false, true},
    {"c7g.4xlarge", "arm64", 16, 32768, 0.580000, 0, false, true},
    {"c7g.8xlarge", "arm64", 32, 65536, 1.160000, 0, false, true},
    {"c7g.12xlarge", "arm64", 48, 98304, 1.740000, 0, false, true},
    {"c7g.16xlarge", "arm64", 64, 131072, 2.320000, 0, false, true},
    {"c7i.large", "x86_64", 2, 4096, 0.089250, 0, false, true},
    {"c7i.xlarge", "x86_64", 4, 8192, 0.178500, 0, false, true},
    {"c7i.2xlarge", "x86_64", 8, 16384, 0.357000, 0, false, true},
    {"c7i.4xlarge", "x86_64", 16, 32768, 0.714000, 0, false, true},
    {"c7i.8xlarge", "x86_64", 32, 65536, 1.428000, 0, false, true},
    {"c7i.12xlarge", "x86_64", 48, 98304, 2.142000, 0, false, true},
    {"c7i.16xlarge", "x86_64", 64, 131072, 2.856000, 0, false, true},
    {"c7i.24xlarge", "x86_64", 96, 196608, 4.284000, 0, false, true},
    {"c7i.48xlarge", "x86_64", 192, 393216, 8.568000, 0, false, true},
    {"c7i-flex.large", "x86_64", 2, 4096, 0.084790, 0, false, true},
    {"c7i-flex.xlarge", "x86_64", 4, 8192, 0.169580, 0, false, true},
    {"c7i-flex.2xlarge", "x86_64", 8, 16384, 0.339150, 0, false, true},
    {"c7i-flex.4xlarge", "x86_64", 16, 32768, 0.678300, 0, false, true},
    {"c7i-flex.8xlarge", "x86_64", 32, 65536, 1.356600, 0, false, true},
    {"c7i-flex.12xlarge", "x86_64", 48, 98304, 2.034900, 0, false, true},
    {"c7i-flex.16xlarge", "x86_64", 64, 131072, 2.713200, 0, false, true},
    {"c7a.medium", "x86_64", 1, 2048, 0.051320, 0, false, true},
    {"c7a.large", "x86_64", 2, 4096, 0.102640, 0, false, true},
    {"c7a.xlarge", "x86_64", 4, 8192, 0.205280, 0, false, true},
    {"c7a.2xlarge", "x86_64", 8, 16384, 0.410560, 0, false, true},
    {"c7a.4xlarge", "x86_64", 16, 32768, 0.821120, 0, false, true},
    {"c7a.8xlarge", "x86_64", 32, 65536, 1.642240, 0, false, true},
    {"c7a.12xlarge", "x86_64", 48, 98304, 2.463360, 0, false, true},
    {"c7a.16xlarge", "x86_64", 64, 131072, 3.284480, 0, false, true},
    {"c7a.24xlarge", "x86_64", 96, 196608, 4.926720, 0, false, true},
    {"c7a.32xlarge", "x86_64", 128, 262144, 6.568960, 0, false, true},
    {"c7a.48xlarge", "x86_64", 192, 393216, 9.853440, 0, false, true},
    {"c8g.medium", "arm64", 1, 2048, 0.039880, 0, false, true},
    {"c8g.large", "arm64", 2, 4096, 0.079760, 0, false, true},
    {"c8g.xlarge", "arm64", 4, 8192, 0.159520, 0, false, true},
    {"c8g.2xlarge", "arm64", 8, 16384, 0.319040, 0, false, true},
    {"c8g.4xlarge", "arm64", 16, 32768, 0.638080, 0, false, true},
    {"c8g.8xlarge", "arm64", 32, 65536, 1.276160, 0, false, true},
    {"c8g.12xlarge", "arm64", 48, 98304, 1.914240, 0, false, true},
    {"c8g.16xlarge", "arm64", 64, 131072, 2.552320, 0, false, true},
    {"c8g.24xlarge", "arm64", 96, 196608, 3.828480, 0, false, true},
    {"c8g.48xlarge", "arm64", 192, 393216, 7.656960, 0, false, true},
    {"c8i.large", "x86_64", 2, 4096, 0.093710, 0, false, true},
    {"c8i.xlarge", "x86_64", 4, 8192, 0.187420, 0, false, true},
    {"c8i.2xlarge", "x86_64", 8, 16384, 0.374840, 0, false, true},
    {"c8i.4xlarge", "x86_64", 16, 32768, 0.749680, 0, false, true},
    {"c8i.8xlarge", "x86_64", 32, 65536, 1.499360, 0, false, true},
    {"c8i.12xlarge", "x86_64", 48, 98304, 2.249040, 0, false, true},
    {"c8i.16xlarge", "x86_64", 64, 131072, 2.998720, 0, false, true},
    {"c8i.24xlarge", "x86_64", 96, 196608, 4.498080, 0, false, true},
    {"c8i.32xlarge", "x86_64", 128, 262144, 5.997440, 0, false, true},
    {"c8i.48xlarge", "x86_64", 192, 393216, 8.996160, 0, false, true},
    {"c8i.96xlarge", "x86_64", 384, 786432, 17.992320, 0, false, true},
    {"c8i-flex.large", "x86_64", 2, 4096, 0.089020, 0, false, true},
    {"c8i-flex.xlarge", "x86_64", 4, 8192, 0.178040, 0, false, true},
    {"c8i-flex.2xlarge", "x86_64", 8, 16384, 0.356080, 0, false, true},
    {"c8i-flex.4xlarge", "x86_64", 16, 32768, 0.712160, 0, false, true},
    {"c8i-flex.8xlarge", "x86_64", 32, 65536, 1.424320, 0, false, true},
    {"c8i-flex.12xlarge", "x86_64", 48, 98304, 2.136480, 0, false, true},
    {"c8i-flex.16xlarge", "x86_64", 64, 131072, 2.848640, 0, false, true},
    {"r5.large", "x86_64", 2, 16384, 0.126000, 0, false, true},
    {"r5.xlarge", "x86_64", 4, 32768, 0.252000, 0, false, true},
    {"r5.2xlarge", "x86_64", 8, 65536, 0.504000, 0, false, true},
    {"r5.4xlarge", "x86_64", 16, 131072, 1.008000, 0, false, true},
    {"r5.8xlarge", "x86_64", 32, 262144, 2.016000, 0, false, true},
    {"r5.12xlarge", "x86_64", 48, 393216, 3.024000, 0, false, true},
    {"r5.16xlarge", "x86_64", 64, 524288, 4.032000, 0, false, true},
    {"r5.24xlarge", "x86_64", 96, 786432, 6.048000, 0, false, true},
    {"r6i.large", "x86_64", 2, 16384, 0.126000, 0, false, true},
    {"r6i.xlarge", "x86_64", 4, 32768, 0.252000, 0, false, true},
    {"r6i.2xlarge", "x86_64", 8, 65536, 0.504000, 0, false, true},
    {"r6i.4xlarge", "x86_64", 16, 131072, 1.008000, 0, false, true},
    {"r6i.8xlarge", "x86_64", 32, 262144, 2.016000, 0, false, true},
    {"r6i.12xlarge", "x86_64", 48, 393216, 3.024000, 0, false, true},
    {"r6i.16xlarge", "x86_64", 64, 524288, 4.032000, 0, false, true},
    {"r6i.24xlarge", "x86_64", 96, 786432, 6.048000, 0, false, true},
    {"r6i.32xlarge", "x86_64", 128, 1048576, 8.064000, 0, false, true},
    {"r6g.medium", "arm64", 1, 8192, 0.050400, 0, false, true},
    {"r6g.large", "arm64", 2, 16384, 0.100800, 0, false, true},
    {"r6g.xlarge", "arm64", 4, 32768, 0.201600, 0, false, true},
    {"r6g.2xlarge", "arm64", 8, 65536, 0.403200, 0, false, true},
    {"r6g.4xlarge", "arm64", 16, 131072, 0.806400, 0, false, true},
    {"r6g.8xlarge", "arm64", 32, 262144, 1.612800, 0, false, true},
    {"r6g.12xlarge", "arm64", 48, 393216, 2.419200, 0, false, true},
    {"r6g.16xlarge", "arm64", 64, 524288, 3.225600, 0, false, true},
    {"r7g.medium", "arm64", 1, 8192, 0.053600, 0, false, true},
    {"r7g.large", "arm64", 2, 16384, 0.107100, 0, false, true},
    {"r7g.xlarge", "arm64", 4, 32768, 0.214200, 0, false, true},
    {"r7g.2xlarge", "arm64", 8, 65536, 0.428400, 0, false, true},
    {"r7g.4xlarge", "arm64", 16, 131072, 0.856800, 0, false, true},
    {"r7g.8xlarge", "arm64", 32, 262144, 1.713600, 0, false, true},
    {"r7g.12xlarge", "arm64", 48, 393216, 2.570400, 0, false, true},
    {"r7g.16xlarge", "arm64", 64, 524288, 3.427200, 0, false, true},
    {"r7i.large", "x86_64", 2, 16384, 0.132300, 0, false, true},
    {"r7i.xlarge", "x86_64", 4, 32768, 0.264600, 0, false, true},
    {"r7i.2xlarge", "x86_64", 8, 65536, 0.529200, 0, false, true},
    {"r7i.4xlarge", "x86_64", 16, 131072, 1.058400, 0, false, true},
    {"r7i.8xlarge", "x86_64", 32, 262144, 2.116800, 0, false, true},
    {"r7i.12xlarge", "x86_64", 48, 393216, 3.175200, 0, false, true},
    {"r7i.16xlarge", "x86_64", 64, 524288, 4.233600, 0, false, true},
    {"r7i.24xlarge", "x86_64", 96, 786432, 6.350400, 0, false, true},
    {"r7i.48xlarge", "x86_64", 192, 1572864, 12.700800, 0, false, true},
    {"r8g.medium", "arm64", 1, 8192, 0.058910, 0, false, true},
    {"r8g.large", "arm64", 2, 16384, 0.117820, 0, false, true},
    {"r8g.xlarge", "arm64", 4, 32768, 0.235640, 0, false, true},
    {"r8g.2xlarge", "arm64", 8, 65536, 0.471280, 0, false, true},
    {"r8g.4xlarge", "arm64", 16, 131072, 0.942560, 0, false, true},
    {"r8g.8xlarge", "arm64", 32, 262144, 1.885120, 0, false, true},
    {"r8g.12xlarge", "arm64", 48, 393216, 2.827680, 0, false, true},
    {"r8g.16xlarge", "arm64", 64, 524288, 3.770240, 0, false, true},
    {"r8g.24xlarge", "arm64", 96, 786432, 5.655360, 0, false, true},
    {"r8g.48xlarge", "arm64", 192, 1572864, 11.310720, 0, false, true},
};
enum { TYPE_COUNT = sizeof types / sizeof *types };

int ec2_type_count(void)
{
    return TYPE_COUNT;
}

const struct ec2_type *ec2_type_at(int index)
{
    assert(index >= 0);
    return &types[index];
}

static bool types_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* vCPUs by the size's name; 0: not a size. */
static int32_t size_vcpus(struct jobq_str size)
{
    if (str_is(size, "medium"))
        return 1;
    if (str_is(size, "large"))
        return 2;
    if (str_is(size, "xlarge"))
        return 4;
    int64_t factor = 0;
    struct jobq_str digits = {size.ptr, size.len - 6};
    if (size.len < 7 || size.len > 9 ||
        memcmp(size.ptr + size.len - 6, "xlarge", 6) != 0 ||
        !types_is_digit(size.ptr[0]) || !str_to_int(digits, &factor) || factor < 2 ||
        factor > 112)
        return 0;
    return (int32_t)(4 * factor);
}

/* A type that the table lacks, from its name: "x8g.4xlarge". */
static bool types_derive(struct jobq_str name, struct ec2_type *out)
{
    const char *dot = memchr(name.ptr, '.', (size_t)name.len);
    int64_t generation = 0;
    if (!dot || name.len >= (int64_t)sizeof out->name)
        return false;
    while (name.ptr[generation] >= 'a' && name.ptr[generation] <= 'z')
        generation++;
    if (generation == 0 || !types_is_digit(name.ptr[generation]))
        return false;
    int32_t vcpus = size_vcpus((struct jobq_str){dot + 1, name.ptr + name.len - dot - 1});
    if (vcpus == 0)
        return false;
    char family = name.ptr[0];
    int64_t gib = family == 'c' ? 2 : family == 'r' ? 8 : family == 'x' ? 16 : 4;
    *out = (struct ec2_type){
        .arch = name.ptr[generation + 1] == 'g' ? "arm64" : "x86_64",
        .vcpus = vcpus,
        .memory_mib = gib * 1024 * vcpus,
        .current = true,
    };
    memcpy(out->name, name.ptr, (size_t)name.len);
    return true;
}

bool ec2_type_find(struct jobq_str name, struct ec2_type *out)
{
    assert(out);
    if (!name.ptr || name.len == 0)
        return false;
    for (int i = 0; i < TYPE_COUNT; i++) {
        if (str_is(name, types[i].name)) {
            *out = types[i];
            return true;
        }
    }
    return types_derive(name, out);
}
