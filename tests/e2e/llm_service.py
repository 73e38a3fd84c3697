"""A daemon that serves SmolLM2-135M-Instruct (scripts/fetch-smollm2) under its own name and any others."""
import contextlib
import json
import os
import pathlib
import tempfile

from daemon import Daemon

CACHE = pathlib.Path(os.environ.get("JACKDAW_CACHE") or pathlib.Path.home() / ".cache" / "jackdaw")
MODEL = CACHE / "peers" / "smollm2" / "SmolLM2-135M-Instruct.Q4_1.gguf"


@contextlib.contextmanager
def llm_service(names, max_model_len=2048, max_num_seqs=8, queue_max=512):
    """The base URL of a daemon for the length of a test."""
    arguments = ["--max-model-len", str(max_model_len), "--max-num-seqs", str(max_num_seqs), "--served-model-name", *names]
    text = f"""apiVersion: serving.kserve.io/v1alpha2
kind: LLMInferenceService
metadata:
  name: smollm2
  annotations:
    jackdaw.dev/queue-max: "{queue_max}"
spec:
  model:
    uri: {MODEL}
    name: {names[0]}
  template:
    containers:
      - name: main
        args: {json.dumps(arguments)}
"""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
        config.write(text)
        config.flush()
        with Daemon(config.name) as daemon:
            yield f"http://127.0.0.1:{daemon.port}/v1"
