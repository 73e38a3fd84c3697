"""The Python clients of OpenAI's API, in a virtual environment of their own in the cache."""
import os
import pathlib
import subprocess
import sys

CACHE = pathlib.Path(os.environ.get("JACKDAW_CACHE") or pathlib.Path.home() / ".cache" / "jackdaw")
VENV = CACHE / "venv-openai"
OPENAI = "openai==2.54.0"
PACKAGES = [OPENAI, "langchain-openai==1.7.3", "llama-index-llms-openai-like==0.8.1", "pytest==8.4.2", "pytest-asyncio==1.2.0",
            "respx==0.22.0", "dirty-equals==0.10.0", "rich==14.1.0", "aiohttp", "httpx-aiohttp"]


def install():
    """None when the clients are there, else why they are not."""
    stamp = VENV / "installed"
    wanted = "\n".join(PACKAGES)
    if stamp.exists() and stamp.read_text() == wanted:
        return None
    try:
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True, capture_output=True, text=True)
        print(f"installing {', '.join(PACKAGES)} into {VENV}", flush=True)
        subprocess.run([VENV / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES], check=True,
                       capture_output=True, text=True, timeout=900)
    except (OSError, subprocess.SubprocessError) as error:
        output = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        return f"pip could not install the clients: {output[-1] if output else error}"
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
            subprocess.run([VENV / "bin" / "pip", "download", "--quiet", "--disable-pip-version-check", "--no-binary", ":all:", "--no-deps",
                            "--dest", folder, OPENAI], check=True, capture_output=True, text=True, timeout=300)
        subprocess.run(["tar", "xzf", archive, "-C", folder], check=True, capture_output=True, text=True)
    except (OSError, subprocess.SubprocessError) as error:
        output = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        return None, f"openai's sdist could not be fetched: {output[-1] if output else error}"
    return unpacked, None


def run_again():
    """Continues in the virtual environment's Python."""
    if pathlib.Path(sys.prefix).resolve() != VENV.resolve():
        os.execv(VENV / "bin" / "python", [str(VENV / "bin" / "python"), *sys.argv])
