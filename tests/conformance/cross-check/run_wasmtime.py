"""Runs programs (see program.ts) with wasmtime's preview 1.

Usage: run_wasmtime.py MODULE INPUT.json OUTPUT.json
INPUT: {"fixture", "args", "env", "programs"}; OUTPUT: a list of {"name", "answers"}.
"""
import json
import os
import shutil
import sys
import tempfile

import wasmtime


def make_fixture(root, fixture):
    shutil.rmtree(root, ignore_errors=True)
    for folder in ["", *fixture["folders"]]:
        os.makedirs(os.path.join(root, folder), exist_ok=True)
    for name, content in fixture["files"].items():
        with open(os.path.join(root, name), "w", encoding="utf-8") as file:
            file.write(content)
    for name, target in fixture["links"].items():
        os.symlink(target, os.path.join(root, name))


def signed(value, bits):
    number = int(value, 16) if isinstance(value, str) else value
    return number - (1 << bits) if number >> (bits - 1) else number


def run_step(store, exports, step):
    memory = exports["memory"]
    if "write" in step:
        memory.write(store, bytes.fromhex(step["hex"]), step["write"])
        return []
    args = [signed(a, 64 if isinstance(a, str) else 32) for a in step["args"]]
    try:
        errno = exports[step["call"]](store, *args)
    except wasmtime.WasmtimeError:
        errno = "trap"
    except wasmtime.Trap:
        errno = "trap"
    reads = [bytes(memory.read(store, at, at + n)).hex() for at, n in step.get("reads", [])]
    return [[errno, *reads]]


def run_program(engine, module, config, root, program):
    make_fixture(root, config["fixture"])
    store = wasmtime.Store(engine)
    wasi = wasmtime.WasiConfig()
    wasi.argv = config["args"]
    wasi.env = list(config["env"].items())
    null = os.path.join(os.path.dirname(root), "null")
    open(null, "wb").close()
    wasi.stdin_file = null
    wasi.stdout_file = null
    wasi.stderr_file = null
    wasi.preopen_dir(root, "/")
    store.set_wasi(wasi)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    exports = linker.instantiate(store, module).exports(store)
    answers = [answer for step in program["steps"] for answer in run_step(store, exports, step)]
    return {"name": program["name"], "answers": answers}


def main():
    module_path, input_path, output_path = sys.argv[1:]
    with open(input_path, encoding="utf-8") as file:
        config = json.load(file)
    engine = wasmtime.Engine()
    module = wasmtime.Module.from_file(engine, module_path)
    with tempfile.TemporaryDirectory() as folder:
        root = os.path.join(folder, "root")
        results = [run_program(engine, module, config, root, p) for p in config["programs"]]
    with open(output_path, "w", encoding="utf-8") as file:
        json.dump(results, file)


main()
