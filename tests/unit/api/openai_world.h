// A world with language models: requests go through the routes, answers come from MockLlmEngines.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/api/fakes.h"
#include "tests/unit/api/mock_llm.h"

namespace jackdaw::api {

class OpenAiWorld : public World {
 public:
  FakeClock fake_clock;
  OpenAiWorld() { clock = &fake_clock; }

  std::shared_ptr<MockLlmEngine> serve_llm(std::string name, std::vector<std::string> aliases = {},
                                           std::string namespace_name = "default") {
    auto mock = std::make_shared<MockLlmEngine>();
    serving::ServedModel model;
    model.name = model.service_name = std::move(name);
    model.namespace_name = std::move(namespace_name);
    model.aliases = std::move(aliases);
    model.generates = true;
    model.versions.push_back(
        {"1", serving::ModelState::ready, "", mock, std::make_shared<serving::ModelMetrics>(metrics, model.name, "1")});
    registry.put(std::move(model));
    return mock;
  }

  void declare_llm(std::string name, serving::ModelState state, std::string reason = {}) {
    serving::ServedModel model;
    model.name = model.service_name = std::move(name);
    model.namespace_name = "default";
    model.generates = true;
    model.versions.push_back({"1", state, std::move(reason), nullptr, nullptr});
    registry.put(std::move(model));
  }

  std::shared_ptr<FakeExchange> chat(const std::string& members, const std::string& path = "/v1/chat/completions") {
    return post(path, R"({"model":"m","messages":[{"role":"user","content":"hi"}])" +
                          (members.empty() ? "" : "," + members) + "}");
  }
  std::shared_ptr<FakeExchange> complete(const std::string& members) {
    return post("/v1/completions", R"({"model":"m")" + (members.empty() ? "" : "," + members) + "}");
  }
};

// The events of a stream, without their "data: " and blank lines.
inline std::vector<std::string> events_of(const std::string& sent) {
  std::vector<std::string> events;
  std::size_t at = 0;
  while (at < sent.size()) {
    const std::size_t end = sent.find("\n\n", at);
    std::string event = sent.substr(at, end - at);
    if (event.starts_with("data: ")) event.erase(0, 6);
    events.push_back(std::move(event));
    at = end == std::string::npos ? sent.size() : end + 2;
  }
  return events;
}

inline bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace jackdaw::api
