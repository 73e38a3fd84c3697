// The answering half of a completion, on the connection's io thread: streamed as server-sent events, or collected and
// sent whole.
//
// A stream's head leaves as soon as the engine has taken the request; comments keep a silent stream alive. A reader
// that does not keep up gets its tokens in larger events, and is cut off when even that is too much. A client that
// goes away cancels the request.
#pragma once

#include <memory>
#include <vector>

#include "src/api/openai/addressed_model.h"
#include "src/api/openai/answer_writer.h"

namespace jackdaw::api::openai {

struct AnswerParts {
  Call call;
  AddressedModel model;
  std::shared_ptr<TokenBridge> bridge;  // on which the engine answers
  std::unique_ptr<AnswerWriter> writer;
  std::vector<net::Header> headers;  // of the answer
  bool stream = false;
  AccessRecord access;
};

void start_answer(AnswerParts parts);

}  // namespace jackdaw::api::openai
