"""What every table says about the machine and the programs it was measured with."""
import datetime
import os
import pathlib
import subprocess


def said(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def cpu():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown"


def package_versions(python, *names):
    code = ("import importlib.metadata as m, sys\n"
            "print(', '.join(f'{n} {m.version(n)}' for n in sys.argv[1:]))")
    return said(str(python), "-c", code, *names)


def facts():
    """One line: the CPU, the cores, the kernel, the date, and how busy the machine was before it began."""
    load = os.getloadavg()[0]
    day = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    return f"{cpu()}, {os.cpu_count()} cores, Linux {os.uname().release}, {day}, load before: {load:.1f}"


def noisy():
    return os.getloadavg()[0] > 0.5


def replace_section(file, name, text):
    """Puts `text` between the two markers of that name in a Markdown file."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    old = file.read_text()
    head, rest = old.split(begin, 1)
    _, tail = rest.split(end, 1)
    file.write_text(f"{head}{begin}\n{text.strip()}\n{end}{tail}")
