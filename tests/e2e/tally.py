"""Tally: counts the checks of one end-to-end script and ends it with `N passed, N failed, N skipped`."""
import sys
import traceback


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, name, ok, detail=""):
        """One named statement that holds or does not."""
        self.passed += bool(ok)
        self.failed += not ok
        print(f"{'ok  ' if ok else 'FAIL'} {name}" + (f": {detail}" if detail else ""), flush=True)
        return bool(ok)

    def skip(self, name, why):
        self.skipped += 1
        print(f"skipped: {why} ({name})", flush=True)

    def run(self, name, function, *arguments):
        """Counts what the function raises as a failure; returns what it returns, or None."""
        try:
            return function(*arguments)
        except Exception as error:  # noqa: BLE001  Whatever goes wrong is this check's result.
            self.check(name, False, f"{type(error).__name__}: {error}")
            traceback.print_exc(file=sys.stdout)
            return None

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped", flush=True)
        sys.exit(1 if self.failed or not self.passed + self.skipped else 0)
