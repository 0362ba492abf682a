"""`python tether.py PARENT COMMAND ...` becomes COMMAND, which dies when process PARENT does, however that dies.

When the machine runs out of memory the kernel takes COMMAND before its parent and before the user's other programs.
A script of its own because running code between fork and exec is unsafe in a process with threads.
"""

import contextlib
import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":  # elsewhere a worker notices the end of its stdin after the clip it is at
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # died before the line above
            sys.exit("the process that wanted this worker is gone")
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
            file.write("500")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
