#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What telemetry costs the spin-wait loop: its rate against that of the bare loop.
set -euo pipefail
# shellcheck source=tests/bench/lib.bash
. "$(dirname "$0")/lib.bash"

line=$(build/tests/bench/spin_overhead || true)
echo "$line"
ratio=${line##*ratio }
bound "spin-wait with telemetry / bare loop" "${ratio%% *}" ">=" 0.99 ""
exit "$missed"
