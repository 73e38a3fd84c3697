"""A transformer on KServe's own ModelServer: adds 1 to every input on the way in, 100 to every prediction on the way out.

usage: venv-kserve/bin/python kserve_transformer.py --http_port P --enable_grpc false --model_name M --predictor_host H
           [--predictor_protocol v2]
"""
import argparse

from kserve import InferInput, InferRequest, InferResponse, Model, ModelServer, model_server


class AddOne(Model):
    def preprocess(self, payload, headers=None):
        if isinstance(payload, InferRequest):
            given = payload.inputs[0]
            moved = (given.as_numpy() + 1).ravel().tolist()
            wanted = InferInput(given.name, list(given.shape), given.datatype, data=moved)
            return InferRequest(model_name=self.name, infer_inputs=[wanted], request_id=payload.id)
        return {"instances": [[x + 1 for x in row] for row in payload["instances"]]}

    def postprocess(self, result, headers=None, response_headers=None):
        if isinstance(result, InferResponse):
            for output in result.outputs:
                output.set_data_from_numpy(output.as_numpy() + 100, binary_data=False)
            return result
        return {"predictions": [x + 100 for x in result["predictions"]]}


parser = argparse.ArgumentParser(parents=[model_server.parser])
arguments, _ = parser.parse_known_args()

if __name__ == "__main__":
    model = AddOne(arguments.model_name)
    model.ready = True
    ModelServer(enable_latency_logging=False).start([model])
