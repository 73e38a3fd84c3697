#!/usr/bin/env python3
"""Prints a configuration without its language models, its relative paths made absolute: for machines that lack their files.

usage: tests/e2e/predictive_part.py service.yaml
"""
import pathlib
import re
import sys


def predictive_part(path):
    path = pathlib.Path(path).resolve()
    documents = [part for part in re.split(r"^---\n", path.read_text(), flags=re.M) if "kind: LLMInferenceService" not in part]
    return "---\n".join(documents).replace("storageUri: ./", f"storageUri: {path.parent}/")


if __name__ == "__main__":
    print(predictive_part(sys.argv[1]), end="")
