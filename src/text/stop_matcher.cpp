#include <algorithm>
#include <utility>

#include "jackdaw/text/detokenizer.h"

namespace jackdaw::text {

namespace {

std::vector<std::size_t> fallbacks(const std::string& text) {
  std::vector<std::size_t> table(text.size() + 1, 0);
  for (std::size_t i = 1, length = 0; i < text.size(); ++i) {
    while (length > 0 && text[i] != text[length]) length = table[length];
    if (text[i] == text[length]) ++length;
    table[i + 1] = length;
  }
  return table;
}

}  // namespace

StopMatcher::StopMatcher(std::vector<std::string> stops, bool include_stop) : include_stop_(include_stop) {
  for (std::string& text : stops) {
    std::vector<std::size_t> table = fallbacks(text);
    stops_.push_back({std::move(text), std::move(table), 0});
  }
}

void StopMatcher::advance(Stop& stop, char c) {
  while (stop.matched > 0 && stop.text[stop.matched] != c) stop.matched = stop.fallback[stop.matched];
  if (!stop.text.empty() && stop.text[stop.matched] == c) ++stop.matched;
}

StopMatcher::Output StopMatcher::push(std::string_view text) {
  Output out;
  if (stopped_) return out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const Stop* complete = nullptr;
    for (Stop& stop : stops_) {
      advance(stop, text[i]);
      const bool whole = !stop.text.empty() && stop.matched == stop.text.size();
      if (whole && (complete == nullptr || stop.text.size() > complete->text.size())) complete = &stop;
    }
    if (complete == nullptr) continue;
    stopped_ = true;
    out.text = std::move(held_);
    held_.clear();
    out.text += text.substr(0, i + 1);
    if (!include_stop_) out.text.resize(out.text.size() - complete->text.size());
    out.stop_index = static_cast<std::size_t>(complete - stops_.data());
    return out;
  }
  std::size_t keep = 0;
  for (const Stop& stop : stops_) keep = std::max(keep, stop.matched);
  held_ += text;
  out.text = held_.substr(0, held_.size() - keep);
  held_.erase(0, out.text.size());
  return out;
}

std::string StopMatcher::finish() {
  stopped_ = true;
  return std::exchange(held_, {});
}

}  // namespace jackdaw::text
