// OpenAI's API as vLLM serves it, under /v1, /openai/v1 and /{namespace}/{name}/v1.
// Wire facts: OpenAI's openapi.yaml, openai-python's parsing, vLLM 0.32's protocol; llama.cpp's tokenize.
#pragma once

#include "src/api/call.h"

namespace jackdaw::api::openai {

void chat_completions(Call call);
void completions(Call call);
// Known to OpenAI, not served yet: refused by name.
void embeddings(Call call);

// /v1/models and /v1/models/{m} speak KServe's V1 too while only predictive models are declared.
void list_models(Call call);
void get_model(Call call);

void tokenize(Call call);
void detokenize(Call call);

// 200 when the models (of the service, under its path) can answer, else 503.
void health(Call call);
void ping(Call call);
void version(Call call);

}  // namespace jackdaw::api::openai
