#!/bin/sh
# Runs a command in a task's pod, then writes what the container has used where the kubelet reads a
# container's last message (terminationMessagePath): {"cpu_usec": …, "memory_peak": …}, in
# microseconds and in bytes, the page cache included. Nothing where the kernel does not say it: the
# peak needs Linux 5.19, or version 1 of cgroups. Exits with the command's code.
set -u

"$@"
code=$?

( # what the kernel does not say ends this shell alone
    cd /sys/fs/cgroup || exit
    if [ -f cpu.stat ]; then # version 2
        cpu="$(sed -n 's/^usage_usec //p' cpu.stat)"
        peak="$(cat memory.peak)"
    else
        cpu="$(($(cat cpuacct/cpuacct.usage) / 1000))"
        peak="$(cat memory/memory.max_usage_in_bytes)"
    fi
    if [ -n "${cpu}" ] && [ -n "${peak}" ]; then
        printf '{"cpu_usec": %s, "memory_peak": %s}\n' "${cpu}" "${peak}" > /dev/termination-log
    fi
) 2> /dev/null
exit "${code}"
