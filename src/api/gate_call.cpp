#include "src/api/gate_call.h"

#include <utility>

namespace jackdaw::api {
namespace {

constexpr int status_gone = 499;  // nginx's word for a client that did not wait

// Io thread: what became of a held call.
void resume(Call call, serving::Admission admission, Refuse refuse) {
  if (admission.refusal) return refuse(call, *admission.refusal);
  if (admission.pass) call.pass = std::make_shared<serving::Pass>(std::move(*admission.pass));
  // As it was when the call began to wait, the revision had no engine.
  call.revision = nullptr;
  const Endpoint endpoint = call.endpoint;
  endpoint(std::move(call));
}

void answer_gone(const Call& call) {
  net::Response response;
  response.status = status_gone;
  answer(call, std::move(response));
}

void hold(Call& call, const std::shared_ptr<serving::Gate>& gate, Refuse refuse) {
  auto parked = std::make_shared<Call>(call);
  auto held = gate->hold(
      {&call.exchange->executor(),
       [parked, refuse](serving::Admission admission) { resume(std::move(*parked), std::move(admission), refuse); },
       call.request().received()});
  if (!held) return refuse(call, held.error());
  call.exchange->on_disconnect([gate, held = std::move(*held), weak = std::weak_ptr(parked)] {
    const auto left = weak.lock();
    if (gate->forget(held) && left != nullptr) answer_gone(*left);
  });
}

}  // namespace

Entry enter(Call& call, const serving::ServedModel& model, Refuse refuse) {
  const auto& gate = model.gate;
  if (gate == nullptr || (call.pass != nullptr && call.pass->gate() == gate.get())) return Entry::entered;
  call.pass.reset();
  if (auto pass = gate->enter()) {
    call.pass = std::make_shared<serving::Pass>(std::move(*pass));
    return Entry::entered;
  }
  hold(call, gate, refuse);
  return Entry::later;
}

}  // namespace jackdaw::api
