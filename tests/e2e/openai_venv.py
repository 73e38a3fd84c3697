"""The Python clients of OpenAI's API, in a virtual environment of their own in the cache."""
import os
import pathlib
import subprocess
import sys
import tempfile

CACHE = pathlib.Path(os.environ.get("JACKDAW_CACHE") or pathlib.Path.home() / ".cache" / "jackdaw")
VENV = CACHE / "venv-openai"
OPENAI = "openai==2.54.0"
PACKAGES = [OPENAI, "langchain-openai==1.7.3", "llama-index-llms-openai-like==0.8.1", "pytest==8.4.2", "pytest-asyncio==1.2.0",
            "respx==0.22.0", "dirty-equals==0.10.0", "rich==14.1.0", "aiohttp", "httpx-aiohttp"]
QUIET = ["--quiet", "--disable-pip-version-check", "--retries", "2", "--timeout", "20"]


def last_words(error):
    """The last line that a program that failed wrote, else what the error says itself."""
    said = (getattr(error, "stderr", "") or getattr(error, "stdout", "") or str(error)).strip().splitlines()
    return said[-1] if said else str(error)


def install():
    """None when the clients are there, else why they are not."""
    stamp = VENV / "installed"
    wanted = "\n".join(PACKAGES)
    if stamp.exists() and stamp.read_text() == wanted:
        return None
    try:
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True, capture_output=True, text=True)
        print(f"installing {', '.join(PACKAGES)} into {VENV}", flush=True)
        subprocess.run([VENV / "bin" / "pip", "install", *QUIET, *PACKAGES], check=True, capture_output=True, text=True, timeout=900)
    except (OSError, subprocess.SubprocessError) as error:
        return f"pip could not install the clients: {last_words(error)}"
    stamp.write_text(wanted)
    return None


def suite():
    """(folder of openai-python's sdist, None), or (None, why it is not there)."""
    folder = CACHE / "openai-suite"
    unpacked = folder / OPENAI.replace("==", "-")
    if (unpacked / "tests").is_dir():
        return unpacked, None
    archive = folder / (unpacked.name + ".tar.gz")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not archive.exists():
            subprocess.run([VENV / "bin" / "pip", "download", *QUIET, "--no-binary", "openai", "--no-deps", "--dest", folder, OPENAI],
                           check=True, capture_output=True, text=True, timeout=300)
        with tempfile.TemporaryDirectory(dir=folder) as half:
            subprocess.run(["tar", "xzf", archive, "-C", half], check=True, capture_output=True, text=True)
            os.rename(pathlib.Path(half) / unpacked.name, unpacked)
    except (OSError, subprocess.SubprocessError) as error:
        return None, f"openai's sdist could not be fetched: {last_words(error)}"
    return unpacked, None


def run_again():
    """Continues in the virtual environment's Python."""
    if pathlib.Path(sys.prefix).resolve() != VENV.resolve():
        os.execv(VENV / "bin" / "python", [str(VENV / "bin" / "python"), *sys.argv])


if __name__ == "__main__":
    sys.exit(install() or suite()[1])
