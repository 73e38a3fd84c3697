"""KServe's peer: its own ModelServer, with models that do what its sklearn, xgboost and lightgbm servers do.

usage: venv-kserve/bin/python tests/peers/kserve_server.py --http_port N --enable_grpc false [--serve NAME=KIND:PATH ...]

Those servers are not on PyPI. Each is a kserve.Model that loads one file, asks get_predict_input for the instances, predicts, and
gives the result to get_predict_response; any exception becomes an InferenceError. KServe's package does the rest, so the path of a
request (uvicorn, FastAPI, pydantic, orjson, codecs) is the real one. Without --serve it serves the models of served.py.
"""
import argparse
import os
import pathlib

import joblib
import kserve
import lightgbm
import xgboost
from kserve.errors import InferenceError
from kserve.utils.utils import get_predict_input, get_predict_response

import served


class FileModel(kserve.Model):
    """One model from one file. `run` maps instances to a result; `columns` orders the columns of dict instances."""

    def __init__(self, name, run, columns=None):
        super().__init__(name)
        self.run = run
        self.columns = columns
        self.ready = True

    def load(self):
        self.ready = True
        return True

    def predict(self, payload, headers=None):
        try:
            instances = get_predict_input(payload, columns=self.columns)
            return get_predict_response(payload, self.run(instances), self.name)
        except Exception as error:
            raise InferenceError(str(error))


def sklearn_model(name, file, env):
    model = joblib.load(file)
    wants_proba = env.get("PREDICT_PROBA", os.environ.get("PREDICT_PROBA", "false")).lower() == "true"

    def run(instances):
        if wants_proba and hasattr(model, "predict_proba"):
            return model.predict_proba(instances)
        return model.predict(instances)

    return FileModel(name, run)


def xgboost_model(name, file, env):
    booster = xgboost.Booster(params={"nthread": 1}, model_file=bytearray(file.read_bytes()))
    return FileModel(name, lambda instances: booster.predict(xgboost.DMatrix(instances, nthread=1)))


def lightgbm_model(name, file, env):
    booster = lightgbm.Booster(params={"nthread": 1}, model_file=str(file))
    return FileModel(name, booster.predict, columns=booster.feature_name())


MAKERS = {"sklearn": sklearn_model, "xgboost": xgboost_model, "lightgbm": lightgbm_model}


def load(name, kind, path, env):
    path = pathlib.Path(path)
    file = path if path.is_file() else next(iter(sorted(path.iterdir())))
    return MAKERS[kind](name, file, env)


def main():
    parser = argparse.ArgumentParser(parents=[kserve.model_server.parser])
    parser.add_argument("--serve", action="append", default=[], metavar="NAME=KIND:PATH")
    arguments, _ = parser.parse_known_args()
    if arguments.serve:
        models = []
        for item in arguments.serve:
            name, rest = item.split("=", 1)
            models.append(load(name, *rest.split(":", 1), {}))
    else:
        models = [load(name, kind, served.MODELS / folder, env) for name, folder, kind, env in served.SERVED]
    kserve.ModelServer(workers=1).start(models)


if __name__ == "__main__":
    main()
