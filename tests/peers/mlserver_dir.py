"""Writes the folder that `mlserver start` reads: settings.json, and one model-settings.json for each model.

usage: python tests/peers/mlserver_dir.py FOLDER --http-port N [--serve NAME=KIND:PATH ...]

Without --serve it writes the models of served.py. gRPC and metrics get the two ports after the HTTP one.
"""
import argparse
import json
import pathlib

import served

CLASSES = {
    "sklearn": "mlserver_sklearn.SKLearnModel",
    "xgboost": "mlserver_xgboost.XGBoostModel",
    "lightgbm": "mlserver_lightgbm.LightGBMModel",
}


def write(folder, http_port, models):
    """models: (name, kind, path of a model file or of the folder that holds it)."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"http_port": http_port, "grpc_port": http_port + 1, "metrics_port": http_port + 2, "parallel_workers": 0,
                "debug": False, "host": "127.0.0.1"}
    (folder / "settings.json").write_text(json.dumps(settings, indent=1) + "\n")
    for name, kind, path in models:
        path = pathlib.Path(path).resolve()
        file = path if path.is_file() else next(iter(sorted(path.iterdir())))
        (folder / name).mkdir(exist_ok=True)
        model = {"name": name, "implementation": CLASSES[kind], "parameters": {"uri": str(file)}}
        (folder / name / "model-settings.json").write_text(json.dumps(model, indent=1) + "\n")


def served_models():
    return [(name, kind, served.MODELS / folder) for name, folder, kind, _ in served.SERVED]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--serve", action="append", default=[], metavar="NAME=KIND:PATH")
    arguments = parser.parse_args()
    models = served_models()
    if arguments.serve:
        models = []
        for item in arguments.serve:
            name, rest = item.split("=", 1)
            models.append((name, *rest.split(":", 1)))
    write(arguments.folder, arguments.http_port, models)


if __name__ == "__main__":
    main()
