"""A Python program that loads a plug-in which uses brood:

    python3 host.py PLUGIN MODE [ARGUMENT]...

sum     uses the executable ARGUMENT, prints what a child has summed up
map     uses it, prints what the workers of a pool have summed up
none    uses no executable
reset   uses it, and none again
made    runs a function that was made at run time
kill    leaves a child that never ends, prints its process id and is killed
leave   leaves a child that writes into the file ARGUMENT 2 when this program is over
"""
import ctypes
import os
import signal
import sys

plugin = ctypes.CDLL(sys.argv[1])
plugin.plugin_words.restype = ctypes.c_char_p
mode = sys.argv[2]
arguments = [argument.encode() for argument in sys.argv[3:]]
number = ctypes.c_int64()


def must(rc):
    if rc != 0:
        print(plugin.plugin_words().decode())
        sys.exit(1)


if mode != "none":
    must(plugin.plugin_use(arguments[0]))
if mode in ("sum", "none"):
    must(plugin.plugin_sum(1000, ctypes.byref(number)))
elif mode == "map":
    must(plugin.plugin_map(1000, ctypes.byref(number)))
elif mode == "reset":
    must(plugin.plugin_use(None))
    must(plugin.plugin_sum(1000, ctypes.byref(number)))
elif mode == "made":
    made = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(lambda call: 0)
    must(plugin.plugin_run(made))
elif mode == "kill":
    must(plugin.plugin_spin(ctypes.byref(number)))
elif mode == "leave":
    must(plugin.plugin_leave(arguments[1]))
print(number.value, flush=True)
if mode == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
