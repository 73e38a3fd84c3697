// A call at the gate of its model: it gets a pass and goes on, or is held and comes again when there is room.
#pragma once

#include "jackdaw/serving/registry.h"
#include "src/api/call.h"

namespace jackdaw::api {

enum class Entry : unsigned char {
  entered,  // the call has the pass; the model may be used
  later,    // held, and its endpoint will run again with the pass; or refused, and answered
};

// Lets the call to `model`. A call that must wait keeps its exchange; its endpoint runs anew, on the io thread, with
// the pass. `refuse` answers when it may not wait, or has waited in vain. A client that leaves meanwhile is forgotten.
using Refuse = void (*)(const Call& call, const Error& error);
Entry enter(Call& call, const serving::ServedModel& model, Refuse refuse);

}  // namespace jackdaw::api
