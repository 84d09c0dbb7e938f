"""Measures with sev-snp-measure. Reads JSON lines {firmware, kernel, initrd, append, vcpus, cpu, features, vmm} and
answers each with the launch digest in hexadecimal, or with `error`."""
import json
import sys

from sevsnpmeasure import guest, vcpu_types
from sevsnpmeasure.sev_mode import SevMode
from sevsnpmeasure.vmm_types import VMMType

VMMS = {"qemu": VMMType.QEMU, "ec2": VMMType.ec2, "gce": VMMType.gce}

for line in sys.stdin:
    case = json.loads(line)
    try:
        cpu = case["cpu"]
        signature = cpu if isinstance(cpu, int) else vcpu_types.CPU_SIGS[cpu]
        digest = guest.calc_launch_digest(
            SevMode.SEV_SNP, case["vcpus"], signature, case["firmware"], case["kernel"],
            case["initrd"], case["append"], case["features"], vmm_type=VMMS[case["vmm"]])
        print(digest.hex())
    except Exception:
        print("error")
