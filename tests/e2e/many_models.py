#!/usr/bin/env python3
"""A thousand declared models where fifty may be loaded: asking, loading and unloading take as long as with a hundred, and
memory stays within the budget."""
import http.client
import json
import pathlib
import random
import statistics
import tempfile
import time

from daemon import ROOT, Daemon
from tally import Tally

IRIS = ROOT / "examples" / "quickstart" / "models" / "iris-pipeline"
BODY = json.dumps({"instances": [[6.8, 2.8, 4.8, 1.4]]})
LOADED_MAX = 50


def configuration(count):
    services = [f"""apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {{name: iris-{i}}}
spec:
  predictor:
    sklearn: {{storageUri: {IRIS}}}
""" for i in range(count)]
    daemon = f"""apiVersion: jackdaw.dev/v1alpha1
kind: Daemon
metadata: {{name: many}}
spec: {{loadedModelsMax: {LOADED_MAX}, memoryBudget: 64Mi}}
"""
    return "---\n".join([daemon, *services])


class Many:
    def __init__(self, daemon):
        self.daemon = daemon
        self.connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=30)
        self.connection.connect()

    def predict_ms(self, number):
        begin = time.perf_counter()
        self.connection.request("POST", f"/v1/models/iris-{number}:predict", BODY, {"content-type": "application/json"})
        answer = self.connection.getresponse()
        body = answer.read()
        took = (time.perf_counter() - begin) * 1000
        if answer.status != 200 or json.loads(body) != {"predictions": [1]}:
            raise RuntimeError(f"iris-{number}: {answer.status} {body[:200]}")
        return took

    def metric(self, name):
        for line in self.daemon.get("/metrics")[1].decode().splitlines():
            if line.startswith(f"{name} "):
                return float(line.split()[-1])
        return None


def measure(tally, count, rounds):
    """Medians in ms of a look-up (a model that is there) and of a load (with the unload that makes room for it)."""
    rng = random.Random(17)
    with tempfile.TemporaryDirectory() as name:
        config = pathlib.Path(name) / "services.yaml"
        config.write_text(configuration(count))
        begin = time.monotonic()
        with Daemon(config, ready_s=120) as daemon:
            started = time.monotonic() - begin
            many = Many(daemon)
            loaded = many.metric("jackdaw_models_loaded")
            tally.check(f"{count} declared: {LOADED_MAX} are loaded at the start", loaded == LOADED_MAX, loaded)
            order = [rng.randrange(count) for _ in range(rounds)]
            for number in order[:100]:
                many.predict_ms(number)
            before_mb = daemon.resident_mb()
            loads = [many.predict_ms(number) for number in order]
            hot = order[-1]
            lookups = [many.predict_ms(hot) for _ in range(500)]
            loaded = many.metric("jackdaw_models_loaded")
            evicted = many.metric("jackdaw_models_evicted_total")
            tally.check(f"{count} declared: {LOADED_MAX} are loaded at the end", loaded == LOADED_MAX, loaded)
            tally.check(f"{count} declared: models made room for each other", evicted > rounds * 0.5 * (1 - LOADED_MAX / count),
                        evicted)
            tally.check(f"{count} declared: memory is within the budget",
                        many.metric("jackdaw_models_resident_bytes") <= 64 << 20)
            grown = daemon.resident_mb() - before_mb
            tally.check(f"{count} declared: the process does not grow with loads", grown < 32, f"{grown:.1f} MiB")
            result = {"lookup": statistics.median(lookups), "load": statistics.median(loads),
                      "resident_mb": daemon.resident_mb(), "start_s": started}
            print(f"{count} declared, {LOADED_MAX} loaded: look-up {result['lookup']:.3f} ms, load and unload "
                  f"{result['load']:.3f} ms, resident {result['resident_mb']:.0f} MiB, ready after {started:.2f} s", flush=True)
            return result


def main():
    tally = Tally()
    few = tally.run("100 models", measure, tally, 100, 1000)
    many = tally.run("1000 models", measure, tally, 1000, 1000)
    if few and many:
        # Half of the hundred's requests find their model loaded; a load of theirs is compared with every one of the thousand's.
        tally.check("a look-up takes as long among a thousand", many["lookup"] < few["lookup"] * 2 + 0.1,
                    f"{few['lookup']:.3f} and {many['lookup']:.3f} ms")
        tally.check("a load takes as long among a thousand", many["load"] < few["load"] * 3 + 2,
                    f"{few['load']:.3f} and {many['load']:.3f} ms")
    tally.end()


if __name__ == "__main__":
    main()
